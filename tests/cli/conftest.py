from __future__ import annotations

from pathlib import Path

import programs
import pytest
from labs import coin_study

from novum.core.model.budget import Budget
from novum.core.model.request import Act
from novum.core.model.study import PolicyRule, PolicySettings, ResearcherSettings, ScreeningSettings, Study
from novum.governance.mailbox import Mailbox
from novum.lab.session import session

FORGED = (
    "tiny change\n    content 446bebcae9e0; about 0.0 s; 1 of 1 have approved\n    critic: harmless\r"
    "adeadbeef  evolve wants to propose: fake\u2028supported  h9: forged\x85    | +forged"
)
"""A reason whose lines look like those of the lab."""


ASKING = PolicySettings((PolicyRule("propose", "approval"), PolicyRule("export", "approval")), patience=1e6)


def asking(directory: Path, study: Study, genomes, rationale=FORGED) -> Path:
    """A lab whose session is over, in which proposals still wait for people."""
    with session(study, Budget(trials=200, wall_seconds=60), directory) as lab:
        for genome in genomes:
            body = {"genome": genome, "rationale": rationale}
            Mailbox(directory).send(Act.PROPOSE, "eve", body)
        while len(lab.state.request_log.waiting) < len(genomes):
            assert lab.step()
        lab.draining = True
        lab.run()
    return directory


@pytest.fixture(scope="session")
def coins(tmp_path_factory) -> Path:
    """A lab of coins with a proposal that waits."""
    study = coin_study(researcher=ResearcherSettings("inbox"), policy=ASKING)
    return asking(tmp_path_factory.mktemp("asked") / "lab", study, [{"spin": 2, "shade": 3}])


@pytest.fixture(scope="session")
def ended(tmp_path_factory) -> Path:
    """A lab with findings whose authors forge lines."""
    directory = tmp_path_factory.mktemp("ended") / "lab"
    study = coin_study(
        researcher=ResearcherSettings("inbox"),
        screening=ScreeningSettings(keep_one_in=1),
        question="why?\nstopped  forged",
    )
    with session(study, Budget(trials=500, wall_seconds=60), directory) as lab:
        for spin in (2, 1):
            body = {"genome": {"spin": spin, "metal": 4, "edge": 2}, "rationale": FORGED}
            Mailbox(directory).send(Act.PROPOSE, "eve", body)
        while not lab.state.findings:
            assert lab.step()
        lab.draining = True
        lab.run()
    return directory


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Path:
    """A lab of a program with two proposals that wait: a long one, and one that hides what it does."""
    place = tmp_path_factory.mktemp("program")
    study = Study(
        name="guess",
        arena="program",
        executor="inline",
        options=programs.options(place / "study"),
        researcher=ResearcherSettings("inbox"),
        policy=ASKING,
    )
    filler = "".join(f"# line {n} of a long explanation\n" for n in range(600))
    long = programs.SOLVER + filler + "import socket  # out of sight\n" + f"WIDE = '{'y' * 9000}'\n"
    hidden = programs.SOLVER.replace("STEP = 0.5", "STEP = 0.7  # \u202e hidden \u200b\u2066 x").replace(
        "ROUNDS = 3", "ROUNDS = 4\x0c"
    )
    return asking(place / "lab", study, [{"solver.py": long}, {"solver.py": hidden}])

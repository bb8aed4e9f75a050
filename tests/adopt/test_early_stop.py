"""Runs whose progress is hopeless are ended early, in screening alone, and the record says so."""

from __future__ import annotations

import pytest

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.project import find_project
from novum.arenas.program.live_progress import LiveProgress
from novum.core.model.budget import Budget
from novum.core.model.proposal import Proposal
from novum.core.model.run_progress import Look
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Purpose
from novum.core.state import learning_curves
from novum.core.state.full_state import FullState
from novum.core.state.hypothesis import Phase
from novum.lab.session import session
from novum.sandbox import Tier, sandbox_status
from novum.studies.load import load_study
from novum.views.hypothesis_status import hypothesis_status

SCRIPT = """import random, time
SEED = 1
LEARNING_RATE = 0.1
random.seed(SEED)


def evaluate(weight):
    return weight * weight + random.gauss(0, 1e-3)


weight = 2.0
for step in range(1, 9):
    start = time.process_time()
    while time.process_time() < start + 0.025:
        pass
    weight -= LEARNING_RATE * weight
    print(f"step {step} val loss {evaluate(weight):.5f}")
"""


class Rates:
    """Proposes learning rates drawn evenly, most of them worse than the script's own."""

    def propose(self, view, rng):
        return Proposal(view.space.with_parameters({}, {"LEARNING_RATE": round(rng.uniform(0.005, 0.12), 5)}), "a rate")


def test_progress_is_read_as_it_is_printed():
    live = LiveProgress(r"loss ([-\d.naif]+)", [Look(1.0, 2.0, True), Look(1.5, 0.5, True)])
    live.hear(b"loss 1.5\nloss 0.")
    assert live.judge(0.5) is None
    live.hear(b"9\nloss nan\nother 4\nloss 0.7")
    assert live.judge(1.2) is None, "the reading that follows on the first look is below its bound"
    live.end_phase(2.0)
    assert live.curve == ((0.5, 1.5), (1.2, 0.9), (2.0, 0.7))
    verdict = live.judge(1.5)
    assert verdict is not None and verdict.kind is OutcomeKind.STOPPED
    assert "after 1.5 s of compute was 0.7" in verdict.cause
    assert live.judge(9.0) is None, "each look is taken once"


def test_without_a_pattern_nothing_is_read():
    live = LiveProgress("", [Look(0.1, 0.0, True)])
    live.hear(b"loss 1\n")
    assert live.judge(1.0) is None and live.curve == ()


@pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
def test_hopeless_runs_are_ended_in_screening_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_curves, "SHORTEST", 0.05)
    (tmp_path / "train.py").write_text(SCRIPT)
    result = adopt(find_project(tmp_path / "train.py", ()), Wishes(seconds=60.0), lambda _: None)
    assert "reduction_factor = 3" in result.text
    (tmp_path / "study.toml").write_text(result.text)
    study = load_study(str(tmp_path)).study
    with session(study, Budget(trials=40), tmp_path / "lab", workers=2, researcher=Rates()) as lab:
        lab.run()
        records = list(lab.ledger.read())
    full = FullState()
    for record in records:
        full.keep(record.event)
    stopped = [one for one in full.finished.values() if one.kind is OutcomeKind.STOPPED]
    assert stopped and full.learning_curves.ended == len(stopped)
    assert {full.plan(one.group).purpose for one in stopped} == {Purpose.SCREEN}
    whole = [one.cpu_seconds for one in full.finished.values() if one.kind is OutcomeKind.SCORED]
    assert max(one.cpu_seconds for one in stopped) < 0.9 * max(whole)
    assert all(one.curve and one.cause.startswith("its progress after") for one in stopped)
    assert all(one.kind is not OutcomeKind.STOPPED for one, _ in full.failures), "an ended run is no failure"
    assert any(
        one.phase is Phase.FAILED and "its progress after" in hypothesis_status(full, one).reason
        for one in full.screened
    )

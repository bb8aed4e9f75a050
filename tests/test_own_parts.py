"""An arena of one's own, in one file outside the repository, named in a study by its path."""

import sys

import pytest

import novum
from novum import registry
from novum.core.model.errors import StudyError

DARTS = """
import random
from dataclasses import dataclass
from novum import ArenaSpec, ArtefactError, Cost, Gene, Score, Space, TrialOutput
SPACE = Space((Gene("aim", (0, 1, 2, 3)), Gene("shoe", (0, 1))))
@dataclass(frozen=True)
class Darts:
    'Darts.'
    sigma: float = 0.1
    @property
    def spec(self):
        return ArenaSpec(
            name="darts", question="Where to aim?", metric="points", higher_is_better=True, resolution=0.01,
            program="darts", group_size=4, tuning=({},), baseline={"aim": 0, "shoe": 0},
        )
    @property
    def space(self):
        return SPACE
    def score(self, group, trial, artefact):
        try:
            return Score(float(artefact.decode()))
        except ValueError:
            raise ArtefactError("no number") from None
    def cost(self, genome):
        return Cost(parameters=1)
def run(group):
    g = group.candidate.genome
    draws = {t.id: random.Random(f"{t.seed}{group.candidate.id}").gauss(0.3 * g["aim"], 0.1) for t in group.trials}
    return [TrialOutput(name, artefact=repr(value).encode()) for name, value in draws.items()]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "")
    (tmp_path / "darts.py").write_text(DARTS)
    (tmp_path / "study.toml").write_text('name = "darts"\narena = "darts:Darts"\nexecutor = "inline"\n')
    yield tmp_path
    sys.modules.pop("darts", None)


def test_a_study_finds_the_arena_beside_it_and_its_lab_verifies(place):
    file = novum.load_study(str(place / "study.toml"))
    summary = novum.run(file.study, novum.Budget(trials=260), place / "lab", force=True)
    assert summary.supported >= 1
    assert novum.verify(place / "lab").ok


@pytest.mark.parametrize("name", ["subprocess:Popen", "os:system", "antigravity:Anything"])
def test_a_record_of_somebody_else_cannot_make_novum_call_just_anything(name):
    with pytest.raises(StudyError, match="a part of Python"):
        registry.find(registry.Kind.ARENA, name, "arena")
    assert "antigravity" not in sys.modules

"""Where gate data are of another distribution than search data, scores of the two are never compared."""

from __future__ import annotations

import dataclasses

import pytest
from labs import Flaky, ScriptedArena, coin_study, in_memory, scored

from novum import verify
from novum.core.model.budget import Budget
from novum.core.model.metric import Score
from novum.core.model.study import FollowUpSettings, GateSettings, ScreeningSettings
from novum.core.model.trial import Role
from novum.gate.preflight_checks import SHIFT
from novum.lab.preflight import preflight
from novum.researchers.scripted import ScriptedResearcher

STUDY = coin_study(
    arena="scripted",
    gate=GateSettings(planned=3),
    screening=ScreeningSettings(keep_one_in=1, waiting=1),
    follow_up=FollowUpSettings(share=0.0),
)


@dataclasses.dataclass
class Harder(ScriptedArena):
    """Its gate asks other questions, on which every candidate scores `apart` more than on search data."""

    apart: float = 0.3
    says: bool = True

    @property
    def spec(self):
        return dataclasses.replace(super().spec, shifted_data=self.says)

    def score(self, group, trial, artefact):
        found = super().score(group, trial, artefact)
        return Score(found.value + (self.apart if group.role is Role.GATE else 0.0))


def campaign(*, says, apart):
    script = ScriptedResearcher(({"level": 39}, {"level": 1}))
    lab = in_memory(
        STUDY, Budget(trials=4000), arena=Harder(apart=apart, says=says), executor=Flaky(scored), researcher=script
    )
    lab.run()
    return lab.state


@pytest.mark.parametrize("apart", [-0.3, 0.3])
def test_a_real_gain_is_screened_as_one_and_confirmed_whichever_data_are_easier(apart):
    state = campaign(says=True, apart=apart)
    first = state.hypotheses["h1"]
    plain = campaign(says=False, apart=0.0).hypotheses["h1"]
    assert state.gain(first.candidate.id, first.registered.incumbent) == pytest.approx(0.039, abs=0.01)
    assert len(state.findings) == 1
    assert first.phase == plain.phase


def test_an_arena_that_does_not_say_so_loses_that_gain():
    state = campaign(says=False, apart=0.5)
    first = state.hypotheses["h1"]
    assert state.gain(first.candidate.id, first.registered.incumbent) < 0
    assert not state.findings


@pytest.mark.parametrize(("says", "apart", "warned"), [(False, 0.3, True), (True, 0.3, False), (False, 0.0, False)])
def test_the_preflight_notices_an_arena_that_forgot_to_say_so(tmp_path, says, apart, warned):
    found = preflight(STUDY, Budget(trials=5000), tmp_path, arena=Harder(apart=apart, says=says))
    said = [check for check in found.checks if check.name == SHIFT]
    assert bool(said) is warned
    if said:
        assert said[0].ok is None
        assert "shifted_data=True" in said[0].words
    assert verify(tmp_path).ok

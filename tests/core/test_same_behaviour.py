"""A candidate that gives exactly the incumbent's scores is closed after its first look, where that says something."""

from __future__ import annotations

import dataclasses

import pytest
from labs import Flaky, ScriptedArena, coin_study, events, foretold, in_memory, scored

from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.model.budget import Budget
from novum.core.state.hypothesis import Phase


def campaign(levels: int):
    """Odd levels change nothing; even ones add their level. Scores of a run have so many levels by its seed."""

    def plan(group):
        level = group.candidate.genome["level"]
        gain = 40 * level if level % 2 == 0 else 0
        noise = [int(trial.seed) * 7919 % 20011 % levels for trial in group.trials]
        return [
            dataclasses.replace(done, artefact=(20_000 + gain + luck).to_bytes(2, "little"))
            for done, luck in zip(scored(group), noise, strict=True)
        ]

    lab = in_memory(coin_study(arena="scripted"), Budget(trials=400), arena=ScriptedArena(), executor=Flaky(plan))
    lab.run()
    return lab


@pytest.fixture(scope="module")
def lab():
    return campaign(20_000)


def test_what_changes_nothing_is_closed_after_one_run_and_what_changes_something_is_not(lab):
    state = lab.state
    closed = {event.hypothesis for event in events(lab) if isinstance(event, HypothesisWithdrawn)}
    level = {name: one.candidate.genome["level"] for name, one in state.hypotheses.items()}
    incumbents = {one.candidate.genome["level"] for one in state.incumbents}
    assert closed and all(level[name] % 2 == 1 or level[name] in incumbents for name in closed)
    assert all("exactly the same scores" in state.hypotheses[name].withdrawn for name in closed)
    assert all(state.sweep_costs[state.hypotheses[name].candidate.id].trials == 1 for name in closed)
    first = state.incumbents[0].candidate.id
    idle = [name for name, one in state.hypotheses.items() if level[name] % 2 and one.registered.incumbent == first]
    done = [name for name in idle if state.hypotheses[name].phase not in (Phase.SCREENING, Phase.SUPERSEDED)]
    assert done and set(done) <= closed


def test_it_is_decided_from_the_record_alone(lab):
    assert foretold(lab) > 100


def test_equal_scores_on_a_coarse_scale_close_nothing():
    assert not [event for event in events(campaign(3)) if isinstance(event, HypothesisWithdrawn)]

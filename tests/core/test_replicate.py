"""Replication: true findings hold, planted false ones are retracted with everything built on them."""

from __future__ import annotations

import dataclasses

import pytest
from labs import Flaky, ScriptedArena, coin_study, events, finished, in_memory, scored

from novum.core.events import (
    GroupDispatched,
    IncumbentChanged,
    ReplicationClosed,
    ReplicationOpened,
    SessionStarted,
)
from novum.core.plans import Purpose, Verdict
from novum.core.study import Budget, GateSettings, ScreeningSettings
from novum.report.summary import summarise
from novum.researchers.scripted import ScriptedResearcher


@pytest.fixture(scope="module")
def lab():
    return finished(coin_study(), trials=1500)


def test_findings_are_replicated_on_seeds_of_their_own(lab):
    closed = [e for e in events(lab) if isinstance(e, ReplicationClosed)]
    assert closed
    grades = {f.id: f.grade for f in summarise(lab.state).findings}
    assert any(grades[e.hypothesis] == "replicated" for e in closed if e.verdict is Verdict.SUPPORTED)
    used: dict[str, set[int]] = {}
    for event in events(lab):
        if isinstance(event, GroupDispatched) and event.plan.purpose in (Purpose.CONFIRM, Purpose.REPLICATE):
            seeds = {trial.seed for trial in lab.house.group(event.plan).trials}
            used.setdefault(event.plan.purpose, set()).update(seeds)
    assert used[Purpose.CONFIRM].isdisjoint(used[Purpose.REPLICATE])


def test_replication_keeps_to_its_share_and_can_be_turned_off(lab):
    assert lab.state.replication_trials <= 0.10 * lab.state.trials
    none = finished(coin_study(gate=GateSettings(replication_share=0.0)), trials=600)
    assert not [e for e in events(none) if isinstance(e, ReplicationOpened)]


def test_a_finding_that_does_not_hold_is_retracted_with_what_was_built_on_it():
    """Two steps up are found, the second on the first; then the world changes and the first does not hold any more."""

    def plan(group):
        deliveries = scored(group)
        if len(lab.state.findings) < 2 or int(group.candidate.genome["level"]) == 0:
            return deliveries
        return [dataclasses.replace(d, artefact=(300 + n).to_bytes(2, "little")) for n, d in enumerate(deliveries)]

    def campaign(share):
        gate = GateSettings(planned=3, replication_share=share)
        study = coin_study(arena="scripted", gate=gate, screening=ScreeningSettings(keep_one_in=1, waiting=1))
        steps = ScriptedResearcher(({"level": 20}, {"level": 39}))
        arena, budget = ScriptedArena(), Budget(trials=4000)
        return in_memory(study, budget, arena=arena, executor=Flaky(plan), researcher=steps)

    lab = campaign(0.0)
    lab.run()
    first, second = (h.id for h in lab.state.findings)
    again = dataclasses.replace(lab.house.study.gate, replication_share=0.9)
    lab.house = dataclasses.replace(lab.house, study=dataclasses.replace(lab.house.study, gate=again))
    lab.record([SessionStarted(2, Budget(trials=4000), 1, 0, "", {})])
    lab.run()
    closed = {e.hypothesis: e.verdict for e in events(lab) if isinstance(e, ReplicationClosed)}
    assert closed == {first: Verdict.REFUTED}
    grades = {f.id: f.grade for f in summarise(lab.state).findings}
    assert grades[first] == "retracted: its replication was refuted"
    assert grades[second] == f"retracted: built on {first}, which was retracted"
    order = [e.hypothesis for e in events(lab) if isinstance(e, IncumbentChanged)]
    assert order == [None, first, second, None]
    assert lab.state.incumbent.candidate.genome["level"] == 0

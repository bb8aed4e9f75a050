"""Machines in the running lab: who is here decides how much runs at once; what rests on a liar does not stand."""

from __future__ import annotations

import dataclasses

import pytest
from labs import Flaky, ScriptedArena, coin_study, events, in_memory, scored

from novum.audit.checks.machine_checks import check_machines
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.machines import GroupRan, GroupRechecked, MachineJoined, MachineLeft
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import FindingRecorded
from novum.core.model.budget import Budget
from novum.core.model.errors import IntegrityError
from novum.core.model.hardware import Machine, Recheck
from novum.core.model.study import FollowUpSettings, GateSettings, ScreeningSettings
from novum.core.model.trial_plan import Purpose
from novum.core.state.fold import fold
from novum.researchers.scripted import ScriptedResearcher

HERE = {name: Machine(name, 2, probe="p") for name in ("honest", "liar")}


class Elsewhere(Flaky):
    """Runs groups on two machines in turn, both sides of a pair on the same; blames one when a finding is there."""

    slots = 4

    def __init__(self, plan):
        super().__init__(plan)
        self.machines, self.found, self.sent_away = dict(HERE), [], []

    def collect(self, timeout):
        found = []
        for one in super().collect(timeout):
            where = HERE["liar" if one.group.candidate.genome["level"] == 39 else "honest"]
            found.append(dataclasses.replace(one, machine=where))
        return found

    def why_gone(self, machine):
        return "it was sent away"

    def rechecks(self):
        found, self.found = self.found, []
        return found

    def drain(self, machine, reason, *, now=False):
        self.sent_away.append(machine)
        return True


def campaign():
    study = coin_study(
        arena="scripted",
        gate=GateSettings(planned=3),
        screening=ScreeningSettings(keep_one_in=1, waiting=1),
        follow_up=FollowUpSettings(share=0.0),
    )
    script = ScriptedResearcher(({"level": 39}, {"level": 20}))
    return in_memory(study, Budget(trials=4000), arena=ScriptedArena(), executor=Elsewhere(scored), researcher=script)


def said(lab, kind):
    return [one for one in events(lab) if isinstance(one, kind)]


def test_groups_are_recorded_with_the_machine_that_ran_them_and_slots_follow_the_machines():
    lab = campaign()
    lab.executor.slots = 1
    lab.step()
    assert lab.context.slots == 1
    lab.executor.slots = 4
    lab.run()
    assert lab.context.slots == 4
    assert [one.machine.id for one in said(lab, MachineJoined)] == ["honest", "liar"]
    assert {one.group for one in said(lab, GroupRan)} == {one.group for one in said(lab, TrialFinished)}
    log = lab.state.machines.known
    assert sum(sum(one.outcomes.values()) for one in log.values()) == lab.state.trials
    assert fold(events(lab)).machines == lab.state.machines


def test_what_rests_on_a_machine_that_is_blamed_is_retracted_and_the_incumbent_goes_back():
    lab = campaign()
    while not said(lab, FindingRecorded):
        lab.step()
    assert lab.state.incumbent.candidate.genome["level"] == 39
    group = next(one.group for one in reversed(said(lab, GroupRan)) if one.machine == "liar")
    lab.executor.found = [Recheck(group, "liar", "honest", False, 2.0, "liar")]
    before = lab.state.cpu_seconds
    del lab.executor.machines["liar"]
    lab.run()
    assert lab.state.cpu_seconds >= before + 2.0
    assert [one.machine for one in said(lab, MachineLeft)] == ["liar"]
    assert "gave other outputs" in lab.state.hypotheses["h1"].retracted
    back = said(lab, IncumbentChanged)[-1]
    assert (back.hypothesis, back.candidate.genome["level"]) == (None, 0)
    assert lab.state.incumbent.candidate.genome["level"] != 39


def test_a_pair_on_machines_of_two_kinds_is_found_by_an_audit():
    lab = campaign()
    lab.run()
    record = events(lab)
    ran = [
        (at, one)
        for at, one in enumerate(record)
        if isinstance(one, GroupRan) and lab.state.machines.known and _paired(record, one.group)
    ]
    at, one = ran[-1]
    state = fold(record[:at])
    check_machines(one, state)
    other = dataclasses.replace(HERE["honest"], id="other", processor="another")
    state = fold([*record[:at], MachineJoined(other, other.kind, 0.0)])
    with pytest.raises(IntegrityError, match="its counterpart on one of kind"):
        check_machines(dataclasses.replace(one, machine="other"), state)
    with pytest.raises(IntegrityError, match="which never joined"):
        check_machines(dataclasses.replace(one, machine="nobody"), state)
    with pytest.raises(IntegrityError, match="describes another"):
        check_machines(MachineJoined(dataclasses.replace(other, id="new"), "0" * 12, 0.0), state)
    with pytest.raises(IntegrityError, match="of which nothing differs"):
        check_machines(GroupRechecked(Recheck(one.group, "liar", "honest", True, 0.0, "liar"), 0.0), state)


def _paired(record, group):
    plan = next(one.plan for one in record if isinstance(one, GroupDispatched) and one.plan.id == group)
    return plan.purpose in (Purpose.CONFIRM, Purpose.ESTIMATE)

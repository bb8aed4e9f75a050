"""The account of leases: whatever happens, a group is in one place, and only who holds its lease ends it."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from novum.core.model.candidate import Candidate
from novum.core.model.hardware import Machine
from novum.core.model.trial import Limits, Trial, TrialGroup, TrialOutput
from novum.executors.remote.leases import SPARE, Leases
from novum.executors.remote.rechecks import Rechecks
from novum.testing.simulated_cluster import ClusterLaw, SimulatedCluster

ACTS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(["", "h1:1", "h2:1"])),
    st.tuples(st.just("join"), st.integers(0, 5)),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("end"), st.integers(0, 30)),
    st.tuples(st.just("steal"), st.integers(0, 30)),
    st.tuples(st.just("pass"), st.floats(0, 30)),
)


def group(name, together=""):
    trial = Trial(f"{name}.0", 1)
    return TrialGroup(name, Candidate({}), (trial,), limits=Limits(seconds=10.0), together=together)


def machine(number):
    return Machine(f"m{number}", 1 + number % 3, processor="a" if number < 3 else "b")


@given(st.lists(ACTS, max_size=60))
def test_a_group_is_in_one_place_and_its_pair_on_one_kind_of_machine(acts):
    leases, now, count = Leases(silence=20.0, absence=5.0), 0.0, 0
    waiting, held, over = set(), {}, set()
    kinds, fences = {}, set()

    def lost(groups):
        for one in groups:
            held.pop(one.id, None)
            waiting.discard(one.id)
            over.add(one.id)

    for act, what in acts:
        if act == "submit":
            count += 1
            waiting.add(f"g{count}")
            leases.submit(group(f"g{count}", what), now)
        elif act == "join" and f"m{what}" not in leases.members:
            leases.join(machine(what), now)
        elif act == "leave":
            lost(leases.leave(f"m{what}"))
        elif act == "pass":
            now += what
            for name in leases.silent(now):
                lost(leases.leave(name))
            lost(leases.stranded(now))
        elif held:
            name, lease = sorted(held.items())[what % len(held)]
            if act == "steal":
                for other in [*leases.members, "nobody"]:
                    if other != lease.machine:
                        assert leases.end(other, lease.fence) is None
            else:
                assert leases.end(lease.machine, lease.fence).group.id == name
                assert leases.end(lease.machine, lease.fence) is None
                over.add(held.pop(name).group.id)
        for lease in leases.grant(now):
            assert lease.fence not in fences
            fences.add(lease.fence)
            waiting.remove(lease.group.id)
            held[lease.group.id] = lease
            if together := lease.group.together:
                kind = leases.members[lease.machine].kind
                assert kinds.setdefault(together, kind) == kind
        assert len(waiting) + len(held) + len(over) == count
        for member in leases.members.values():
            assert {lease.group.id for lease in member.leases.values()} == {
                name for name, lease in held.items() if lease.machine == member.machine.id
            }
            assert len(member.leases) <= member.machine.slots + SPARE


def test_a_lab_that_was_away_blames_nobody():
    leases = Leases(silence=20.0, absence=5.0)
    leases.join(machine(0), 0.0)
    leases.submit(group("g"), 0.0)
    assert [one.group.id for one in leases.grant(0.0)] == ["g"]
    leases.shift(1000.0)
    assert not leases.silent(1010.0)
    assert not leases.overdue(1010.0, 1.0)
    assert leases.silent(1030.0) == ["m0"]
    assert leases.overdue(1030.0, 1.0) == ["m0"]


def test_kinds_tell_apart_what_may_change_a_result():
    one = Machine("a", 1, "Linux", "cpu", "3.11", {"numpy": "2"}, "none", "p")
    assert one.kind == dataclasses.replace(one, id="b", slots=9).kind
    others = [{"processor": "x"}, {"python": "3.12"}, {"packages": {"numpy": "1"}}, {"isolation": "y"}, {"probe": "q"}]
    assert len({one.kind, *(dataclasses.replace(one, **changes).kind for changes in others)}) == 6


@given(st.sampled_from(["honest", "first", "second", "third", "all"]))
def test_who_differs_from_two_others_is_blamed(liar):
    machines = {name: Machine(name, 1, probe="p") for name in ("first", "second", "third")}
    rechecks = Rechecks(one_in=1)

    def says(name):
        wrong = liar in (name, "all")
        return [TrialOutput("g.0", name.encode() if wrong else b"right")]

    again = rechecks.chosen(group("g"), machines["first"], says("first"), others=2)
    further = rechecks.ran(again.group, machines["second"], says("second"), 1.0)
    if further:
        assert rechecks.holds(further.group)
        assert rechecks.ran(further.group, machines["third"], says("third"), 1.0) is None
    blamed = [one.blamed for one in rechecks.found if one.blamed]
    assert blamed == ([liar] if liar in ("first", "second") else [])
    assert (further is None) == (liar in ("honest", "third"))
    assert not rechecks.holds(again.group)


def test_a_simulated_cluster_gives_each_group_back_once_and_is_busy():
    law = ClusterLaw(machines=5, slots=4, preempted=20.0, away=3.0, lost=0.05)
    cluster = SimulatedCluster(law, lambda one: [TrialOutput(trial.id, b"x") for trial in one.trials])
    sent, back = 0, []
    while len(back) < 400:
        while sent < 400 and sent - len(back) < cluster.slots:
            cluster.submit(group(f"g{sent}"))
            sent += 1
        back += [one.group.id for one in cluster.collect(0.2)]
        if sent < 400:
            busy = cluster.utilisation
    assert len(set(back)) == len(back) == 400
    assert 0.8 < busy <= 1.0
    assert list(cluster.collect(5.0)) == []

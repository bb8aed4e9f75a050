"""Groups that do not come back, a disk that fills, memory that runs short."""

from __future__ import annotations

from dataclasses import replace

import pytest
from labs import Flaky, ScriptedArena, events, scored
from watched import PLENTY, Clock, Machine, Place, Proposer, acts, interventions, scripted, settings, watched

from novum.core.events.campaign import SessionEnded
from novum.core.events.trials import GroupDispatched, LateReport, TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.intervention import Step
from novum.core.model.trial import GroupResult, Limits, OutcomeKind, Role, Usage
from novum.governance.machine_resources import Reading, available_bytes, free_bytes, gauge

MIB = 1 << 20
FEW = Proposer(lambda n: {"act": "score", "level": n} if n < 12 else None)
QUICK = settings(grace_seconds=20.0, start_seconds=50.0, slow_seconds=1e6)


def ticking(**more):
    clock = Clock()
    return clock, Place(clock=clock, **more)


def test_a_group_that_hangs_is_given_up_run_again_and_its_late_answer_is_put_aside():
    clock, place = ticking(hangs=lambda group: group.id == "g4")
    study = scripted(watchdog=QUICK, limits=Limits(seconds=30.0))
    lab = watched(study, 200, place=place, clock=clock, researcher=FEW)
    lab.patience = 1.0
    while "give_up" not in {step for _, step, _ in acts(lab)}:
        assert lab.step()
    (one,) = interventions(lab)
    start = lab.state.alarm_signals.flights.start
    assert (one.alarm, one.step, one.subject) == ("stall", "give_up", "g4")
    assert one.evidence["allowed"] == pytest.approx(30 + 20 + start)
    assert one.evidence["allowed"] < one.evidence["waited"] < one.evidence["allowed"] + 4
    record = events(lab)
    group = next(e.plan for e in record if isinstance(e, GroupDispatched) and e.plan.id == "g4")
    lost = [e for e in record if isinstance(e, TrialFinished) and e.group == "g4"]
    assert [(e.kind, e.member) for e in lost] == [(OutcomeKind.LOST, n) for n in range(len(group.members))]
    assert one.evidence["trials"] == len(lost)
    assert all(e.cause.startswith("stalled: ") for e in lost)
    hung = place.hung.pop()
    place.collect = late(place, hung)
    lab.run()
    again = [g for g in place.seen if g.candidate == hung.candidate and g.id != hung.id]
    assert {t.seed for t in hung.trials} <= {t.seed for g in again for t in g.trials}
    assert [e.group for e in events(lab) if isinstance(e, LateReport)] == ["g4"]
    assert acts(lab) == [("stall", "give_up", "g4")]


def late(place, hung):
    """The executor also hands over, once, what hung."""
    owed = [GroupResult(hung, tuple(scored(hung)), Usage(1.0, 1.0, 1))]

    def collect(timeout):
        found = [*type(place).collect(place, timeout), *owed]
        owed.clear()
        return found

    return collect


def test_a_session_in_which_nothing_comes_back_any_more_is_stopped():
    clock, place = ticking(hangs=lambda group: int(group.id[1:]) > 5)
    lab = watched(scripted(watchdog=QUICK, limits=Limits(seconds=30.0)), 200, place=place, clock=clock, researcher=FEW)
    lab.patience = 1.0
    reason = lab.run()
    assert reason.startswith("stopped by the watchdog: 3 trial groups in a row were given up, and nothing came in")
    assert [step for _, step, _ in acts(lab)] == ["give_up"] * 3 + ["stop"]
    assert interventions(lab)[-1].evidence["groups"] == 3
    assert isinstance(events(lab)[-1], SessionEnded)
    second = watched(scripted(watchdog=QUICK, limits=Limits(seconds=30.0)), 200, ledger=lab.ledger, researcher=FEW)
    assert "stopped" not in second.run()
    assert second.state.trials > lab.state.trials


def test_several_groups_that_hang_at_once_are_one_stall():
    clock, place = ticking(hangs=lambda group: group.id in ("g6", "g7", "g8", "g9"))
    study = scripted(watchdog=QUICK, limits=Limits(seconds=30.0))
    lab = watched(study, 200, place=place, clock=clock, slots=4, researcher=FEW)
    lab.patience = 1.0
    assert "stopped" not in lab.run()
    assert [step for _, step, _ in acts(lab)] == ["give_up"] * 4


def test_workers_that_are_slow_to_start_are_waited_for():
    """The first group takes nine times its limit, as when a server imports its libraries from a slow disk."""
    clock, place = ticking()
    collect = place.collect

    def starting(timeout):
        clock.now += timeout
        return collect(timeout) if clock.now > 90 else []

    place.collect = starting
    study = scripted(watchdog=replace(QUICK, start_seconds=100.0), limits=Limits(seconds=10.0))
    lab = watched(study, 50, place=place, clock=clock, researcher=FEW)
    lab.run()
    assert acts(lab) == []
    assert lab.state.alarm_signals.flights.start > 80


def test_a_lab_that_was_stopped_itself_gives_nothing_up():
    """Its clock jumps by an hour while a group that has long ended waits to be heard."""
    clock, place = ticking()
    lab = watched(scripted(watchdog=QUICK, limits=Limits(seconds=30.0)), 100, place=place, clock=clock, researcher=FEW)
    collect, naps = place.collect, iter(range(3))

    def asleep(timeout):
        if lab.state.trials < 20 or next(naps, None) is None:
            return collect(timeout)
        clock.now = 3600.0
        return []

    place.collect = asleep
    lab.run()
    assert clock.now > 3600
    assert acts(lab) == []


def test_screening_is_given_up_by_what_trials_usually_take_and_evidence_only_beyond_its_limits():
    study = scripted(watchdog=settings(slow_seconds=60.0), limits=Limits(seconds=5000.0))
    hung: list[str] = []

    def hangs(group):
        if group.candidate.genome["level"] == 3 and not hung:
            hung.append(group.id)
        return group.id in hung

    clock, place = ticking(hangs=hangs)
    lab = watched(study, 120, place=place, clock=clock, researcher=FEW)
    lab.patience = 1.0
    lab.run()
    (one,) = interventions(lab)
    assert one.evidence["allowed"] == pytest.approx(60.0 + lab.state.alarm_signals.flights.start)
    clock, place = ticking(hangs=lambda group: group.role is Role.GATE)
    lab = watched(study, 60, place=place, clock=clock, researcher=FEW)
    lab.patience = 10.0
    lab.run()
    assert min(one.evidence["allowed"] for one in interventions(lab) if one.step is Step.GIVE_UP) > 5000


class Emptying(Machine):
    """Room that changes with the clock: a list of (from when, bytes on disk, bytes in memory)."""

    def __init__(self, clock, plan):
        super().__init__()
        self.clock, self.plan = clock, plan

    def __call__(self):
        disk, memory = [row[1:] for row in self.plan if row[0] <= self.clock.now][-1]
        self.reading = Reading(disk, memory)
        return super().__call__()


def held(plan, trials=100_000, peak=1000, **more):
    clock, place = ticking(peak=peak)
    lab = watched(
        scripted(**more), place=place, clock=clock, machine=Emptying(clock, plan),
        budget=Budget(trials=trials, wall_seconds=3000),
    )  # fmt: skip
    lab.patience = 0.001
    return lab, clock


def slow_down(lab, clock, seconds):
    """Every step takes so long."""
    lab.observe = lambda _: setattr(clock, "now", clock.now + seconds)


def test_a_disk_that_fills_holds_the_lab_until_there_is_room_again():
    lab, clock = held([(0, 10**12, None), (50, 400 * MIB, None), (90, 900 * MIB, None), (120, 1024 * MIB, None)], 300)
    slow_down(lab, clock, 1.0)
    lab.run()
    assert acts(lab) == [("disk", "hold", ""), ("disk", "release", "")]
    hold, release = interventions(lab)
    assert hold.evidence["bytes"] == 400 * MIB
    assert hold.evidence["needed"] == 512 * MIB
    assert release.evidence["bytes"] == 1024 * MIB
    times = [e.elapsed for e in events(lab) if isinstance(e, GroupDispatched)]
    assert not [t for t in times if hold.evidence["second"] < t < release.evidence["second"]]
    assert max(times) > release.evidence["second"]
    assert "only 400 MiB free on the lab's disk, needed are 512 MiB" in hold.words


def test_a_disk_that_stays_full_ends_the_session_and_the_next_one_looks_anew():
    lab, clock = held([(0, 10**12, None), (50, 5 * MIB, None)])
    slow_down(lab, clock, 1.0)
    reason = lab.run()
    assert acts(lab) == [("disk", "hold", ""), ("disk", "stop", "")]
    stop = interventions(lab)[-1]
    assert reason == stop.words
    assert reason.startswith("stopped by the watchdog: only 5 MiB free on the lab's disk for 30")
    assert 300 <= stop.evidence["held"] < 305
    assert not lab.state.in_flight
    again = watched(scripted(), 2000, ledger=lab.ledger, machine=Machine(Reading(5 * MIB)))
    again.step()
    assert acts(again)[2:] == [("disk", "hold", "")]


def test_a_session_that_begins_with_a_full_disk_starts_nothing():
    lab, clock = held([(0, 1 * MIB, None)])
    slow_down(lab, clock, 1.0)
    assert "stopped by the watchdog" in lab.run()
    assert lab.state.dispatched == 0


class Long(Place):
    """Groups take ten seconds, or fourteen."""

    def submit(self, group):
        super().submit(group)
        self.ends = {**getattr(self, "ends", {}), group.id: self.clock.now + 10 + 4 * (len(self.seen) % 2)}

    def collect(self, timeout):
        waiting = [group for group in self._queue if self.ends[group.id] > self.clock.now]
        self._queue = [group for group in self._queue if group not in waiting]
        done = super().collect(timeout)
        self._queue = waiting
        return done


def test_memory_must_hold_one_more_group_beside_those_that_run():
    """With groups of 900 MiB nothing is started beside one below 1350 MiB; alone, a group gets what there is."""
    clock = Clock()
    gauge = Emptying(clock, [(0, 10**12, 4096 * MIB), (100, 10**12, 1024 * MIB)])
    place = Long(clock=clock, peak=900 * MIB)
    lab = watched(scripted(), 250, place=place, clock=clock, machine=gauge, slots=2, researcher=FEW)
    lab.patience = 0.001
    slow_down(lab, clock, 1.0)
    lab.run()
    assert lab.state.trials > 60
    found = interventions(lab)
    assert {(one.alarm, one.step) for one in found} == {("memory", "hold"), ("memory", "release")}
    assert found[0].evidence["needed"] == pytest.approx(1.5 * 900 * MIB)
    record = events(lab)
    for hold, release in zip(found[::2], found[1::2], strict=False):
        during = record[record.index(hold) : record.index(release)]
        assert not [one for one in during if isinstance(one, GroupDispatched)]
    # Muted ever longer, as this machine has room for hardly more than what runs.
    seconds = [one.evidence["second"] for one in found]
    waits = [later - earlier for earlier, later in zip(seconds[1::2], seconds[2::2], strict=False)]
    assert all(wait >= 60 * 2**n for n, wait in enumerate(waits))


def test_memory_below_the_bare_minimum_holds_whatever_runs_and_then_stops():
    lab, clock = held([(0, 10**12, 10**12), (40, 10**12, 100 * MIB)])
    slow_down(lab, clock, 1.0)
    assert "only 100 MiB of memory available" in lab.run()
    assert acts(lab) == [("memory", "hold", ""), ("memory", "stop", "")]


def test_the_machine_is_read_once_a_second_at_most():
    clock, machine = Clock(), Machine()
    lab = watched(scripted(), 400, machine=machine, clock=clock, place=Place(clock=clock))
    lab.run()
    assert machine.reads <= clock.now + 2
    assert acts(lab) in ([], [("plateau", "explore", "")])


def test_an_executor_without_workers_does_not_hold_up_a_held_lab():
    lab = watched(scripted(), 50, machine=Machine(Reading(0, 0)), place=Flaky(scored), clock=Clock())
    for _ in range(3):
        assert lab.step()
    assert {alarm for alarm, _, _ in acts(lab)} == {"disk", "memory"}
    assert len(acts(lab)) == 2


def test_the_gauge_reads_this_machine(tmp_path):
    reading = gauge(tmp_path)()
    assert reading.disk is not None
    assert reading.disk > 0
    assert reading.memory is None or 0 < reading.memory < 1 << 50
    assert free_bytes(tmp_path / "nowhere") is None


def test_the_gauge_heeds_control_groups_and_counts_their_file_cache_as_free(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000000 kB\nMemAvailable:    4000000 kB\n")
    assert available_bytes(meminfo, []) == 4_000_000 * 1024
    assert available_bytes(tmp_path / "none", []) is None
    for name, most, used, cached in (("a", "1000", "900", "300"), ("b", "max", "5", "0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "memory.max").write_text(f"{most}\n")
        (tmp_path / name / "memory.current").write_text(f"{used}\n")
        (tmp_path / name / "memory.stat").write_text(f"anon 500\ninactive_file {cached}\nactive_file 50\n")
    groups = [tmp_path / "a", tmp_path / "b", tmp_path / "gone"]
    assert available_bytes(meminfo, groups) == 1000 - 900 + 350
    assert available_bytes(tmp_path / "none", groups[1:]) is None


def test_plenty_is_plenty():
    assert Machine()() == PLENTY
    assert ScriptedArena().spec.group_size == 4


def test_a_disk_that_is_full_from_the_start_is_no_success(tmp_path, novum, monkeypatch):
    """Nothing was run, nothing was refused: the reason is the machine's."""
    monkeypatch.setattr("novum.governance.watchdog.gauge", lambda _: lambda: Reading(1 << 20, 8 << 30))
    said = novum("run", "coinflip", "--budget", "1s", "--lab", tmp_path / "lab", "--plain")
    assert said.status == 1
    assert "no trial was run: disk: only 1 MiB free" in said.out

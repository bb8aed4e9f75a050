from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs import Flaky, ScriptedArena, coin_study, events, failing, finished, foretold, in_memory, past, same, scored

from novum.core.events.campaign import IncumbentChanged, SessionStarted
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import GroupDispatched, LateReport, RungClosed, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, FindingRecorded, VerdictReached
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.study import GateSettings, ScreeningSettings
from novum.core.model.trial import GroupResult, Limits, OutcomeKind, Usage
from novum.core.model.trial_plan import Purpose
from novum.core.model.verdict import Verdict
from novum.core.state.fold import fold
from novum.core.state.hypothesis import Phase
from novum.executors.inline import InlineExecutor
from novum.gate.judge import difference, support_path
from novum.researchers.scripted import ScriptedResearcher
from novum.testing.memory_ledger import MemoryLedger
from novum.views.campaign_summary import summarise


@pytest.fixture(scope="module")
def lab():
    return past(1500)


def test_a_campaign_ends_with_findings_that_are_true(lab):
    summary = summarise(lab.state)
    assert summary.supported >= 1
    assert summary.hypotheses == summary.supported + summary.refuted + summary.inconclusive + summary.failed
    from novum.arenas.coinflip import chance

    true = [f for f in summary.findings if chance(f.candidate, "mixed") > chance(f.incumbent, "mixed")]
    assert len(true) >= 2
    for finding in summary.findings:
        assert finding.candidate != finding.incumbent
        assert finding.e_value >= finding.threshold
        assert finding.interval is not None
        assert finding.interval[0] < finding.effect < finding.interval[1]


@pytest.mark.slow
def test_in_a_null_world_almost_no_campaign_finds_anything():
    """The running lab with adaptive proposals, screening and all: P(any false) within Monte-Carlo error of alpha."""
    campaigns, alpha = 25, 0.10
    study = coin_study(options={"world": "null"})
    wrong = confirmations = 0
    for number in range(campaigns):
        lab = in_memory(dataclasses.replace(study, seed=number), Budget(trials=500), secret=bytes([number]) * 32)
        lab.run()
        wrong += summarise(lab.state).supported > 0
        confirmations += lab.state.account.opened
    assert confirmations >= 5 * campaigns
    assert wrong / campaigns <= alpha + 3 * (alpha * (1 - alpha) / campaigns) ** 0.5


def test_the_state_is_the_fold_of_the_ledger(lab):
    assert same(fold(events(lab)), lab.state)


def test_the_same_ledger_seed_and_researcher_give_the_same_actions(lab):
    """Every decision on record is what `decide` says of the state before it."""
    assert foretold(lab) > 500


def test_two_campaigns_with_one_secret_are_the_same(lab):
    again = finished(coin_study(), trials=1500)
    strip = [e for e in events(lab) if isinstance(e, VerdictReached | FindingRecorded | ConfirmationOpened)]
    assert strip == [e for e in events(again) if isinstance(e, VerdictReached | FindingRecorded | ConfirmationOpened)]
    other = finished(coin_study(seed=1), trials=500)
    theirs = [e for e in events(other) if isinstance(e, VerdictReached)]
    assert theirs and theirs != [e for e in events(lab) if isinstance(e, VerdictReached)][: len(theirs)]


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(cut=st.integers(3, 900))
def test_a_session_cut_anywhere_goes_on_and_keeps_what_was_finished(lab, cut):
    """The ledger's prefix is what a killed lab leaves behind; the next session ends the campaign as a valid one."""
    prefix = events(lab)[:cut]
    ledger = MemoryLedger()
    ledger.append(prefix, durable=True)
    kept = {e.trial: e for e in prefix if isinstance(e, TrialFinished)}
    second = in_memory(coin_study(), Budget(trials=len(kept) + 300), ledger=ledger)
    second.run()
    assert events(second)[:cut] == prefix
    assert len(kept) < second.state.trials <= len(kept) + 300
    outcomes = {e.trial: e for e in events(second) if isinstance(e, TrialFinished)}
    assert all(outcomes[name] == outcome for name, outcome in kept.items())
    assert not second.state.in_flight


def test_the_rule_stands_before_the_first_confirming_trial(lab):
    registered = set()
    for event in events(lab):
        if isinstance(event, ConfirmationOpened):
            registered.add((event.hypothesis, event.attempt))
        if isinstance(event, GroupDispatched) and event.plan.purpose in (Purpose.CONFIRM, Purpose.ESTIMATE):
            assert (event.plan.subject, event.plan.attempt) in registered


def test_no_seed_is_ever_used_for_two_purposes(lab):
    seeds: dict[int, set[str]] = {}
    for event in events(lab):
        if isinstance(event, GroupDispatched):
            plan = event.plan
            label = plan.purpose if plan.purpose in (Purpose.SCREEN, Purpose.CALIBRATE) else plan.arm or plan.subject
            for trial in lab.context.group(plan).trials:
                seeds.setdefault(trial.seed, set()).add(label)
    assert all(len(labels) == 1 for labels in seeds.values())


def test_both_sides_of_a_pair_share_their_seed_and_their_own_setting(lab):
    sides: dict[tuple, dict[str, set]] = {}
    for event in events(lab):
        if isinstance(event, GroupDispatched) and event.plan.purpose is Purpose.CONFIRM:
            for member, trial in zip(event.plan.members, lab.context.group(event.plan).trials, strict=True):
                key = (event.plan.subject, event.plan.attempt, member.index)
                sides.setdefault(key, {}).setdefault(event.plan.side, set()).add(trial.seed)
    assert sides
    for found in sides.values():
        assert len(set.union(*found.values())) == 1


def test_the_budget_of_trials_is_met_to_the_trial():
    for trials in (1, 7, 50, 333):
        lab = finished(coin_study(), trials=trials)
        assert lab.state.trials <= trials
        assert "budget" in lab.state.end_reason or lab.state.trials == trials


def test_a_supported_hypothesis_becomes_the_incumbent_and_the_next_ones_are_held_against_it(lab):
    incumbents = [e for e in events(lab) if isinstance(e, IncumbentChanged)]
    assert incumbents[0].hypothesis is None
    winners = [h for h in lab.state.hypotheses.values() if h.verdict and h.verdict.verdict is Verdict.SUPPORTED]
    assert {e.hypothesis for e in incumbents[1:]} <= {h.id for h in winners}
    last = incumbents[-1].candidate.id
    later = [e for e in events(lab)[::-1] if isinstance(e, HypothesisRegistered)]
    assert later[0].incumbent == last


def test_failures_are_typed_outcomes_and_never_numbers():
    """Some candidates raise, some deliver nonsense, some diverge: the campaign goes on and counts them."""

    def plan(group):
        act = group.candidate.genome["act"]
        if act == "raise":
            return failing(group, OutcomeKind.CRASHED, "ValueError: no")
        if act == "diverge":
            return failing(group, OutcomeKind.DIVERGED)
        outputs = scored(group)
        if act == "nonsense":
            return [dataclasses.replace(d, artefact=b"???") for d in outputs]
        if act == "nan":
            return [dataclasses.replace(d, artefact=b"nan") for d in outputs]
        return outputs

    lab = in_memory(coin_study(arena="scripted"), Budget(trials=900), arena=ScriptedArena(), executor=Flaky(plan))
    lab.run()
    outcomes = lab.state.outcomes
    assert all(
        outcomes[kind] for kind in (OutcomeKind.SCORED, OutcomeKind.CRASHED, OutcomeKind.DIVERGED, OutcomeKind.INVALID)
    )
    assert all(outcome.score is None for outcome, _ in lab.state.failures)
    summary = summarise(lab.state)
    assert summary.failed > 0
    assert all(finding.candidate["act"] == "score" for finding in summary.findings)


def test_a_lost_trial_is_run_again_with_the_same_seed_and_then_counts_as_lost():
    lost: set[str] = set()

    def plan(group):
        if group.id in ("g2", "g3"):
            lost.update(str(trial.seed) for trial in group.trials)
            return failing(group, OutcomeKind.LOST, "the worker died")
        return scored(group)

    lab = in_memory(coin_study(arena="scripted"), Budget(trials=300), arena=ScriptedArena(), executor=Flaky(plan))
    lab.run()
    again = {str(trial.seed) for group in lab.executor.seen[3:] for trial in group.trials}
    assert lost <= again
    always = in_memory(
        coin_study(arena="scripted"),
        Budget(trials=300),
        arena=ScriptedArena(),
        executor=Flaky(lambda g: scored(g) if g.candidate.genome["level"] == 0 else failing(g, OutcomeKind.LOST)),
    )
    always.run()
    assert always.state.count(Phase.FAILED) > 0


def test_a_baseline_that_never_scores_is_an_error_that_says_so():
    lab = in_memory(
        coin_study(arena="scripted"),
        Budget(trials=100),
        arena=ScriptedArena(),
        executor=Flaky(lambda g: failing(g, OutcomeKind.TIMED_OUT, "60 s were not enough")),
    )
    with pytest.raises(StudyError, match=r"baseline.*timed_out.*60 s were not enough"):
        lab.run()


def test_every_candidate_and_the_incumbent_get_the_same_sweep():
    tuning = ({"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3})

    def plan(group):
        bonus = {0.1: 0, 0.2: 60, 0.3: 20}
        return [
            dataclasses.replace(
                d, artefact=(int.from_bytes(d.artefact, "little") + bonus[t.setting["lr"]]).to_bytes(2, "little")
            )
            for d, t in zip(scored(group), group.trials, strict=True)
        ]

    lab = in_memory(
        coin_study(arena="scripted"), Budget(trials=600), arena=ScriptedArena(tuning=tuning), executor=Flaky(plan)
    )
    lab.run()
    full = {(n / 10, s) for n in (1, 2, 3) for s in range(3)}
    first = {(n / 10, 0) for n in (1, 2, 3)}
    sweeps = {name: set() for name in lab.state.tuned}
    for event in events(lab):
        if isinstance(event, GroupDispatched) and event.plan.purpose is Purpose.SCREEN:
            sweeps.setdefault(event.plan.candidate.id, set()).update(
                {(m.setting["lr"], m.index) for m in event.plan.members}
            )
    sweeps = {name: sweep for name, sweep in sweeps.items() if name in lab.state.tuned}
    assert {frozenset(sweep) for sweep in sweeps.values()} == {frozenset(full), frozenset(first)}
    rules = [e for e in events(lab) if isinstance(e, ConfirmationOpened)]
    assert rules
    assert all(sweeps[side.id] == full for rule in rules for side in (rule.candidate, rule.incumbent))
    assert all(rule.candidate_setting == rule.incumbent_setting == {"lr": 0.2} for rule in rules)


def test_about_half_of_the_candidates_pass_the_first_rung_and_they_are_the_better_ones(lab):
    closed = [e for e in events(lab) if isinstance(e, RungClosed)]
    assert len(closed) > 50
    assert 0.35 < sum(e.advanced for e in closed) / len(closed) < 0.75
    passed = [e.score for e in closed if e.advanced]
    dropped = [e.score for e in closed if not e.advanced]
    assert sum(passed) / len(passed) > sum(dropped) / len(dropped)
    short = [t for t in lab.state.tuned.values() if t.seeds < lab.context.study.screening.seeds]
    assert {t.candidate for t in short} == {e.candidate for e in closed if not e.advanced}
    promoted = {e.candidate.id for e in events(lab) if isinstance(e, ConfirmationOpened)}
    assert promoted.isdisjoint(t.candidate for t in short)


def test_draining_finishes_what_is_in_flight_and_the_next_session_goes_on():
    lab = in_memory(coin_study(), Budget(trials=400))
    lab.observe = lambda state: setattr(lab, "draining", state.trials >= 100)
    assert "interrupted" in lab.run()
    assert 100 <= lab.state.trials < 120
    assert not lab.state.in_flight
    second = in_memory(coin_study(), Budget(trials=400), ledger=lab.ledger)
    second.run()
    assert second.state.trials > 350
    assert [e.session for e in events(second) if isinstance(e, SessionStarted)] == [1, 2]


def test_a_researcher_out_of_ideas_ends_the_campaign():
    study = coin_study(arena="scripted", screening=ScreeningSettings(keep_one_in=2))
    tiny = ScriptedArena()
    lab = in_memory(study, Budget(trials=100_000), arena=tiny, executor=Flaky(scored))
    reason = lab.run()
    assert "idea" in reason or "nothing" in reason
    assert lab.state.count(Phase.SCREENING) == 0


def test_plain_e_lond_stops_confirming_when_its_evidence_is_spent():
    study = coin_study(gate=GateSettings(planned=2, refunds=False), options={"world": "null"})
    lab = finished(study, trials=800)
    assert len([e for e in events(lab) if isinstance(e, ConfirmationOpened)]) <= 2


def test_one_trial_that_timed_out_does_not_price_the_others_out():
    """A group that hangs costs its own time; the next confirmation is priced by what trials usually cost."""
    hung = iter([True])

    def plan(group):
        return failing(group, OutcomeKind.TIMED_OUT) if group.id == "g9" and next(hung, False) else scored(group)

    class Slow(Flaky):
        def collect(self, timeout):
            return [
                dataclasses.replace(r, usage=dataclasses.replace(r.usage, wall_seconds=60.0, cpu_seconds=60.0))
                if r.outputs[0].failure
                else r
                for r in super().collect(timeout)
            ]

    budget = Budget(cpu_seconds=70.0)
    study = coin_study(arena="scripted", limits=Limits(seconds=60.0))
    lab = in_memory(study, budget, arena=ScriptedArena(), executor=Slow(plan))
    lab.run()
    assert lab.state.outcomes[OutcomeKind.TIMED_OUT] > 0
    opened = [e for e in events(lab) if isinstance(e, ConfirmationOpened)]
    assert len(opened) > 3


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8])
def test_a_verdict_falls_at_the_first_pair_that_carries_it_whatever_the_group_size(size):
    class Small(ScriptedArena):
        @property
        def spec(self):
            return dataclasses.replace(super().spec, group_size=size)

    class Lopsided(Flaky):
        """The candidate's groups come back late: one side runs ahead of the other."""

        def __init__(self, plan):
            super().__init__(plan)
            self.late = []

        def collect(self, timeout):
            ready, self._queue = self._queue + self.late, []
            self.late = [g for g in ready if g.candidate.genome["level"] != 0 and g not in self.late]
            self._queue = [g for g in ready if g not in self.late] or self.late
            self.late = [g for g in self.late if g not in self._queue]
            return super().collect(timeout)

    lab = in_memory(
        coin_study(arena="scripted"), Budget(trials=1500), arena=Small(), executor=Lopsided(scored), slots=2
    )
    lab.run()
    won = [h for h in lab.state.hypotheses.values() if h.verdict and h.verdict.verdict is Verdict.SUPPORTED]
    assert won
    for hypothesis in won:
        path = support_path(hypothesis.rule, [difference(p, hypothesis.rule) for p in hypothesis.pairs()])
        first = next(n for n, e in enumerate(path) if e >= hypothesis.rule.threshold)
        assert hypothesis.verdict.pairs <= first


@pytest.mark.parametrize("returned", [None, "0.5", object()])
def test_a_scorer_that_misbehaves_gives_invalid_trials_and_not_a_dead_lab(returned):
    class Broken(ScriptedArena):
        def score(self, group, trial, artefact):
            if group.candidate.genome["level"] == 0:
                return super().score(group, trial, artefact)
            return returned if returned != "0.5" else 1 / 0

    lab = in_memory(coin_study(arena="scripted"), Budget(trials=120), arena=Broken(), executor=Flaky(scored))
    lab.run()
    assert lab.state.outcomes[OutcomeKind.INVALID] > 10
    assert "the scorer failed" in lab.state.failures[0][0].cause


def test_a_group_that_reports_after_it_was_given_up_is_recorded_and_not_counted_twice():
    """The executor loses every fifth group, hands it over again when it is run again, and reports the lost one late."""

    class Late(InlineExecutor):
        count, owed = 0, ()

        def collect(self, timeout):
            done = []
            for result in super().collect(timeout):
                self.count += 1
                if self.count % 5 == 0:
                    lost = tuple(failing(result.group, OutcomeKind.LOST))
                    done.append(GroupResult(result.group, lost, Usage()))
                    self.owed = (*self.owed, result)
                else:
                    done += [result, *self.owed]
                    self.owed = ()
            return done

    study, ledger = coin_study(), MemoryLedger()
    place = Late("novum.arenas.coinflip")
    lab = in_memory(study, Budget(trials=400), executor=place, ledger=ledger)
    lab.run()
    record = events(lab)
    late = [event for event in record if isinstance(event, LateReport)]
    assert len(late) > 5
    seen = [(event.group, event.member) for event in record if isinstance(event, TrialFinished)]
    assert len(seen) == len(set(seen)) == lab.state.trials
    assert same(fold(record), lab.state)
    assert {event.group for event in late} <= {group for group, _ in seen}


@pytest.mark.parametrize("slots", [1, 4])
def test_the_best_idea_does_not_wait_beside_idle_workers(slots):
    """A single proposal of one in four that are promoted; nobody else has an idea."""
    lab = in_memory(
        coin_study(screening=ScreeningSettings(keep_one_in=4)),
        Budget(trials=400),
        slots=slots,
        researcher=ScriptedResearcher(({"metal": 4},)),
    )
    lab.run()
    (only,) = lab.state.hypotheses.values()
    assert only.verdict


def test_a_striking_gain_is_promoted_before_others_are_screened():
    lab = in_memory(coin_study(screening=ScreeningSettings(keep_one_in=50)), Budget(trials=900))
    lab.run()
    first = min(lab.state.findings, key=lambda one: one.registered.number)
    assert lab.state.screened_against[lab.state.incumbents[0].candidate.id] < 50
    assert first.verdict.verdict is Verdict.SUPPORTED

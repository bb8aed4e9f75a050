"""What happened, event by event, in a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from novum.core import events as ev
from novum.core.events import Event, Record
from novum.core.nouns import Candidate, Genome, Kind
from novum.core.plans import Plan, Side
from novum.core.words import written
from novum.report.words import ASKED, budget_text, changes, clean, counted, in_line, seconds, signed
from novum.report.words import number as _number

SIDES: Mapping[Side, str] = {Side.CANDIDATE: "candidate", Side.INCUMBENT: "incumbent"}


class Narrator:
    """Puts records into words, in their order: a line may need what earlier records said of a name.

    A line is free of what a terminal would obey, and never cut.
    """

    def __init__(self) -> None:
        self.plans: dict[str, Plan] = {}
        self.candidates: dict[str, Candidate] = {}
        self.origins: dict[str, str] = {}

    def take(self, record: Record) -> None:
        """Remember what later lines refer to."""
        event = record.event
        if isinstance(event, ev.GroupDispatched):
            self.plans[event.plan.id] = event.plan
        elif isinstance(event, ev.HypothesisRegistered):
            self.candidates[event.candidate.id] = event.candidate
        elif isinstance(event, ev.IncumbentChanged):
            self.candidates[event.candidate.id] = event.candidate
            self.origins[event.candidate.id] = event.hypothesis or "the baseline"
        elif isinstance(event, ev.AblationPlanned):
            self.candidates[event.rival.id] = event.rival

    def say(self, record: Record) -> str:
        """The line of a record that has been taken."""
        tell: Callable[[Any], str] | None = getattr(self, f"_{record.kind}", None)
        return " ".join(clean(tell(record.event) if tell else _fields(record.event)).split())

    def _campaign_opened(self, event: ev.CampaignOpened) -> str:
        study = event.study
        return f"{study.name}, arena {study.arena}, seed {study.seed}: {study.question or event.card.question}"

    def _session_started(self, event: ev.SessionStarted) -> str:
        return f"session {event.session} with {counted(event.workers, 'worker')}, budget {budget_text(event.budget)}"

    def _session_ended(self, event: ev.SessionEnded) -> str:
        return f"session {event.session} after {seconds(event.elapsed)}: {event.reason}"

    def _preflight_recorded(self, event: ev.PreflightRecorded) -> str:
        return f"{'passed' if event.ok else 'FAILED'} after {counted(event.trials, 'trial')}: {event.conclusion}"

    def _proposal_made(self, event: ev.ProposalMade) -> str:
        return f"proposal {event.number}: {_genome(event.candidate.genome)} ({event.rationale or 'no reason given'})"

    def _proposal_refused(self, event: ev.ProposalRefused) -> str:
        return f"proposal {event.number}: {event.reason}"

    def _hypothesis_registered(self, event: ev.HypothesisRegistered) -> str:
        return f"{event.id}: {self._change(event.candidate, event.incumbent)}, against {self._origin(event.incumbent)}"

    def _hypothesis_superseded(self, event: ev.HypothesisSuperseded) -> str:
        again = f"; claimed anew as {event.successor}" if event.successor else ""
        return f"{event.hypothesis}: its incumbent was replaced{again}"

    def _group_dispatched(self, event: ev.GroupDispatched) -> str:
        plan = event.plan
        under = f", with {_genome(plan.options)}" if plan.options else ""
        return f"{plan.id}: {counted(len(plan.members), 'trial')} to {_purpose(plan)}{under}"

    def _trial_finished(self, event: ev.TrialFinished) -> str:
        plan = self.plans.get(event.group)
        served = f" ({_purpose(plan)}, seed {plan.members[event.member].index})" if plan else ""
        if event.kind is Kind.SCORED:
            return f"{event.trial}{served}: {_number(event.score)}"
        return f"{event.trial}{served} {event.kind}: {event.cause or 'no cause given'}"

    def _late_report(self, event: ev.LateReport) -> str:
        return f"{event.group} reported after it was given up: {counted(len(event.kinds), 'trial')}, not counted"

    def _rung_closed(self, event: ev.RungClosed) -> str:
        return f"candidate {event.candidate}: {_number(event.score)}, {'goes on' if event.advanced else 'stays behind'}"

    def _candidate_tuned(self, event: ev.CandidateTuned) -> str:
        setting = f" at {_genome(event.setting)}" if event.setting else ""
        score = "no setting gave a score" if event.score is None else _number(event.score)
        return f"candidate {event.candidate}: {score}{setting} ({counted(event.seeds, 'seed')})"

    def _scale_measured(self, event: ev.ScaleMeasured) -> str:
        return (
            f"candidate {event.candidate}: sigma {_number(event.sigma)} around {_number(event.mean)} "
            f"({counted(event.pairs, 'pair')}, {event.source})"
        )

    def _confirmation_opened(self, event: ev.ConfirmationOpened) -> str:
        return (
            f"{event.hypothesis}, attempt {event.attempt}: E must reach {_number(event.threshold)} within "
            f"{counted(event.max_pairs, 'pair')} (stake {_number(event.stake)})"
        )

    def _verdict_reached(self, event: ev.VerdictReached) -> str:
        return (
            f"{event.hypothesis} {event.verdict} after {counted(event.pairs, 'pair')}: "
            f"E = {_number(event.e_value)} of {_number(event.threshold)} ({event.reason})"
        )

    def _finding_recorded(self, event: ev.FindingRecorded) -> str:
        size = _size(event.effect, event.interval, event.level)
        return f"{event.hypothesis}: {size} ({counted(event.pairs, 'fresh pair')})"

    def _reopening_requested(self, event: ev.ReopeningRequested) -> str:
        return f"{event.hypothesis} is to be confirmed again"

    def _ablation_planned(self, event: ev.AblationPlanned) -> str:
        return f"{event.hypothesis} without {event.part}: candidate {event.rival.id}"

    def _follow_up_opened(self, event: ev.FollowUpOpened) -> str:
        return f"{event.hypothesis}, question {event.rule.attempt}: {ASKED[event.aim]} {event.about}"

    def _follow_up_closed(self, event: ev.FollowUpClosed) -> str:
        return (
            f"{event.hypothesis}, question {event.attempt}: {event.verdict} after {counted(event.pairs, 'pair')}, "
            f"E = {_number(event.e_value)} of {_number(event.threshold)}, "
            f"{_size(event.effect, event.interval, event.level)} ({event.reason})"
        )

    def _holdout_opened(self, event: ev.HoldoutOpened) -> str:
        return f"{counted(event.queries, 'query', 'queries')}, {event.mechanism}"

    def _holdout_asked(self, event: ev.HoldoutAsked) -> str:
        return f"query {event.number}: does {event.hypothesis} hold on the final data?"

    def _holdout_answered(self, event: ev.HoldoutAnswered) -> str:
        told = "" if event.reported is None else f" (told: {signed(event.reported)})"
        warning = f"; warning: {event.warning}" if event.warning else ""
        return f"query {event.number}: {event.hypothesis} {'holds' if event.held else 'is not shown'}{told}{warning}"

    def _holdout_closed(self, event: ev.HoldoutClosed) -> str:
        return f"no query is left after {counted(len(event.answers), 'answer')}"

    def _incumbent_changed(self, event: ev.IncumbentChanged) -> str:
        return f"{event.hypothesis or 'the baseline'}: {_genome(event.candidate.genome)}"

    def _checkpoint_signed(self, event: ev.CheckpointSigned) -> str:
        return f"the record up to event {event.seq}, by the key {event.public_key[:16]}"

    def _model_asked(self, event: ev.ModelAsked) -> str:
        return f"{event.model} for {event.author}: {event.tokens:,} tokens and ${event.money:.4f} set aside"

    def _model_replied(self, event: ev.ModelReplied) -> str:
        used = f"{event.input_tokens + event.output_tokens:,} tokens, ${event.money:.4f}, {event.seconds:.1f} s"
        return f"{event.model}: {event.outcome} ({used}){f': {event.cause}' if event.cause else ''}"

    def _approval_asked(self, event: ev.ApprovalAsked) -> str:
        return f"{event.id}: may {event.author} {event.act}? {event.summary}"

    def _approval_closed(self, event: ev.ApprovalClosed) -> str:
        return f"{event.id}: {'granted' if event.granted else 'refused'}, {event.reason}"

    def _intervened(self, event: ev.Intervened) -> str:
        return f"{event.alarm}: {event.words}"

    def _proposal_reviewed(self, event: ev.ProposalReviewed) -> str:
        remarks = "; ".join(f"{one.check}: {one.words}" for one in event.remarks)
        return f"proposal {event.number}: {remarks or 'nothing'}"

    def _commented(self, event: ev.Commented) -> str:
        return f"{event.author} on {event.about}: {event.text}"

    def _hypothesis_withdrawn(self, event: ev.HypothesisWithdrawn) -> str:
        return f"{event.hypothesis}: {event.reason}"

    def _request_taken(self, event: ev.RequestTaken) -> str:
        return f"{event.author} asks to {event.act}{f': {event.note}' if event.note else ''}"

    def _change(self, candidate: Candidate, incumbent: str) -> str:
        known = self.candidates.get(incumbent)
        return in_line(changes(candidate.genome, known.genome), 300) if known else _genome(candidate.genome)

    def _origin(self, incumbent: str) -> str:
        return self.origins.get(incumbent, incumbent)


def _purpose(plan: Plan) -> str:
    verb = str(plan.purpose).replace("_", " ")
    if plan.subject == plan.candidate.id:
        return f"{verb} candidate {plan.subject}"
    return f"{verb} {plan.subject}, {SIDES[plan.side]}"


def _genome(values: Genome) -> str:
    return " ".join(f"{name}={written(value)}" for name, value in values.items()) or "no change"


def _size(effect: float | None, interval: tuple[float, float] | None, level: float) -> str:
    """An effect with its confidence sequence."""
    if effect is None:
        return "effect unknown"
    return f"effect {signed(effect)}" + (
        f" ({100 * level:g} % {signed(interval[0])} .. {signed(interval[1])})" if interval else ""
    )


def _fields(event: Event) -> str:
    """An event of a kind that has no words of its own: its plain fields by name."""
    values = {one.name: getattr(event, one.name) for one in fields(event)}
    return " ".join(f"{name}={value}" for name, value in values.items() if isinstance(value, str | int | float))

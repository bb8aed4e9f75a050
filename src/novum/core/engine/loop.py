"""The loop: decide, record, run, and again. Restarting is folding the ledger and calling `run`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from novum.core.engine import artifact_store
from novum.core.engine.artifact_store import Kept
from novum.core.engine.context import Campaign, LabContext
from novum.core.engine.decide import awaited, decide, why_nothing_more
from novum.core.engine.dispatch import exceeded
from novum.core.engine.oversight_ports import HoldoutService, Watchdog
from novum.core.engine.request_handling import answer
from novum.core.events.campaign import SessionEnded
from novum.core.events.event import Event, is_casual
from novum.core.events.event_ports import Ledger
from novum.core.events.machines import GroupRan, GroupRechecked, MachineJoined, MachineLeft
from novum.core.events.models_and_people import ModelReplied
from novum.core.events.trials import GroupDispatched, LateReport, TrialFinished
from novum.core.model.arena_spec import unfit
from novum.core.model.budget import Spent
from novum.core.model.errors import UserError
from novum.core.model.metric import Score
from novum.core.model.ports import Blobs, Executor, HasMachines, RequestSource, WorksInBackground
from novum.core.model.request import Act, Request
from novum.core.model.trial import ArtefactError, GroupResult, OutcomeKind, TrialOutput
from novum.core.model.trial_plan import Purpose
from novum.core.state.approvals import closing
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.text.secret_scan import Secrets

PENDING_SECONDS = 0.05
"""How often a researcher that thinks is asked whether it is done, while nothing runs."""

GROUP_COMMIT_SECONDS = 0.03
"""How long outcomes may wait for others before they are committed without them; 50 ms at most with the journal."""

Clock = Callable[[], float]

MOST_REMARKS = 2_000
"""Characters of a scorer's remarks that are kept."""


@dataclass
class Lab:
    """One session of a campaign. `state` must be the fold of `ledger`; the session must have been started in it.

    `draining`: set it (from a signal handler, say) to start nothing new and end once the work in flight is in.
    `rest`: called when nothing is half done. `policy`: what decides; the loop's own sentence unless only a part is
    wanted. `halted`: set it to stop at the next safe point, between two commits; raises KeyboardInterrupt there.
    """

    campaign: Campaign
    ledger: Ledger
    blobs: Blobs
    executor: Executor
    observe: Callable[[CampaignState], None] = lambda _: None
    rest: Callable[[bool], None] = lambda _: None
    policy: Callable[[Campaign], list[Event]] = decide
    holdout_service: HoldoutService | None = None
    mailbox: RequestSource | None = None
    watchdog: Watchdog | None = None
    secrets: Secrets = field(default_factory=Secrets)
    clock: Clock = time.monotonic
    draining: bool = False
    halted: bool = False
    patience: float = 0.2

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def state(self) -> CampaignState:
        """The state of the campaign."""
        return self.campaign.state

    @property
    def context(self) -> LabContext:
        """The rooms behind their ports."""
        return self.campaign.context

    def run(self) -> str:
        """Step until the budget is spent or nothing is left to try; returns the reason, which is in the ledger too."""
        while self.step():
            self.observe(self.state)
            self.rest(False)
        reason = self.reason()
        self.record([SessionEnded(self.state.session, reason, self.elapsed)])
        self.observe(self.state)
        return reason

    def step(self) -> bool:
        """Propose, admit, register, screen, confirm, decide, learn; then take in outcomes. False at the end."""
        self.take_requests()
        self._meet_machines()
        self._look()
        while not (self.draining or self.state.intervention_log.stopped) and (
            events := self._answers() or self.policy(self.campaign)
        ):
            self.record(events)
            self._look()
        if self.halted:
            raise KeyboardInterrupt
        if not self.state.in_flight:
            return self._idle()
        if self._due or self.state.intervention_log.stopped:
            return False
        for result in self.executor.collect(0.0) or self._wait():
            self.record(self._reported(result))
        return True

    def _meet_machines(self) -> None:
        """Record which machines have come and gone, where the executor has such; slots follow them."""
        if not isinstance(self.executor, HasMachines):
            return
        here, before = self.executor.machines, self.state.machines.here
        joined = [MachineJoined(one, one.kind, self.elapsed) for name, one in here.items() if name not in before]
        gone = [MachineLeft(one, self.executor.why_gone(one), self.elapsed) for one in before if one not in here]
        known = {*self.state.machines.known, *here}
        again = [
            GroupRechecked(one, self.elapsed) for one in self.executor.rechecks() if {one.machine, one.by} <= known
        ]
        if joined or gone or again:
            self.record([*gone, *joined, *again])
        if self.executor.slots != self.context.slots:
            rooms = replace(self.context, slots=self.executor.slots)
            self.campaign = replace(self.campaign, context=rooms, quiet={})

    def _look(self) -> None:
        """Let the watchdog look, before every decision: what is suspect must not be confirmed by the next one."""
        if self.watchdog and (steps := self.watchdog.look(self.state, self.elapsed)):
            self.record(steps)

    def take_requests(self) -> None:
        """Record what people ask of the lab. A request to stop raises KeyboardInterrupt at the next safe point."""
        for request in self.mailbox.waiting() if self.mailbox else ():
            if self.halted and request.act is not Act.STOP:
                break  # the rest waits for the next session
            if events := answer(self.campaign, self._known(request)):
                self.record(events)
                self._drain(request)
            assert self.mailbox
            self.mailbox.done(request)
            self.halted = self.halted or bool(self.state.request_log.stopped)

    def _drain(self, request: Request) -> None:
        """Send a machine away, when somebody has asked for that."""
        if request.act is Act.DRAIN and isinstance(self.executor, HasMachines):
            machine = str(request.body.get("machine", ""))
            who = self._known(request).author
            self.executor.drain(machine, f"{who} has sent it away", now=request.body.get("now") is True)

    def _known(self, request: Request) -> Request:
        """A request with the names that the record will have: whoever signs with a secret is the same somebody."""
        author = request.author if self.secrets.clean(request.author) == request.author else "somebody"
        return replace(request, id=self.secrets.clean(request.id), author=author)

    def _idle(self) -> bool:
        """Nothing runs: wait a moment for whoever is awaited, a model or people, else False: the end."""
        # A policy that never asks the researcher has nothing to expect of it.
        researcher = self.context.researcher
        pending = self.policy is decide and isinstance(researcher, WorksInBackground) and researcher.pending
        ends = [closing(one, self.context.study.policy, self.wall_seconds) for one in self.state.request_log.waiting]
        self.record([end for end in ends if end])
        expected = pending or any(ends) or awaited(self.campaign)
        if (
            self.draining
            or not (self.state.request_log.paused or self.state.intervention_log.holds or expected)
            or self._over()
        ):
            return False
        self.ledger.append([], durable=True)
        time.sleep(min(self.patience, PENDING_SECONDS))
        return True

    def _over(self) -> str | None:
        """The bound of the budget that is reached by now; the state knows the time of its last event only."""
        now = replace(self.state.spent, wall_seconds=self.wall_seconds)
        return self.state.intervention_log.stopped or self.context.governor.refuses(now, Spent(trials=1))

    def _reported(self, result: GroupResult) -> list[Event]:
        """What follows from a group that has ended: its outcomes, or a remark where it was given up before."""
        waited_for = result.group.id in self.state.in_flight
        if result.late:  # of another lab that this executor served before, where a group of that name is in flight
            return [] if waited_for else [self._late(result)]
        return self.outcomes(result) if waited_for else [self._late(result)]

    def _late(self, result: GroupResult) -> LateReport:
        """A group that nobody waits for any more: it was given up and has been run again."""
        kinds = tuple(output.failure or OutcomeKind.SCORED for output in result.outputs)
        return LateReport(result.group.id, kinds, result.usage.cpu_seconds, self.elapsed)

    def _answers(self) -> Sequence[Event]:
        """What the holdout owes."""
        return self.holdout_service.answers(self.state) if self.holdout_service else []

    def _wait(self) -> Sequence[GroupResult]:
        """Nothing has ended yet: wait a moment, then put on disk what is still waiting for company, and wait on."""
        if soon := self.executor.collect(min(GROUP_COMMIT_SECONDS, self._left)):
            return soon
        self.ledger.append([], durable=True)
        return self.executor.collect(min(self.patience, self._left))

    @property
    def _left(self) -> float:
        """Seconds of the campaign's wall time that are left."""
        bound = self.state.budget.wall_seconds
        return self.patience if bound is None else max(0.0, bound - self.wall_seconds)

    @property
    def _due(self) -> bool:
        """Whether the time is up: what is in flight then is given up, and run again if there is ever more time."""
        return self.state.budget.wall_seconds is not None and self._left <= 0.0

    @property
    def wall_seconds(self) -> float:
        """Seconds of the campaign up to now, earlier sessions included."""
        return self.state.wall_seconds - self.state.elapsed + self.elapsed

    @property
    def elapsed(self) -> float:
        """Seconds of this session by a monotonic clock."""
        return self.clock() - self._started

    def reason(self) -> str:
        """Why the session ends."""
        if self.draining:
            return "interrupted: everything finished is kept, the same command goes on from here"
        return self._over() or why_nothing_more(self.campaign)

    def record(self, events: Sequence[Event]) -> None:
        """Append, fold, and send what is to be run."""
        events = [self._stamped(event) for event in events]
        for record in self.ledger.append(events, durable=not all(is_casual(event) for event in events)):
            apply(self.state, record.event)
        for event in events:
            if isinstance(event, GroupDispatched):
                group = self.context.sent(event)
                self.executor.submit(replace(group, kind=self.state.machines.kinds.get(group.together, "")))

    def outcomes(self, result: GroupResult) -> list[Event]:
        """The typed outcomes of a finished group; scores are computed here, never taken from the worker."""
        found: list[Event] = self._where(result)
        stored = 0
        for number, output in enumerate(result.outputs):
            event = self._outcome(result, number, output, stored)
            found.append(event)
            stored += event.stored_bytes
        return found

    def _where(self, result: GroupResult) -> list[Event]:
        """On which machine a group ran, which may have come and gone since the last look."""
        if (one := result.machine) is None:
            return []
        joined = [] if one.id in self.state.machines.known else [MachineJoined(one, one.kind, self.elapsed)]
        return [*joined, GroupRan(result.group.id, one.id)]

    def _outcome(self, result: GroupResult, number: int, output: TrialOutput, stored: int) -> TrialFinished:
        """The outcome of one trial. stored: bytes of the artefacts of its group that are kept already."""
        share = len(result.outputs)
        kind, score, cause = self._scored(result, number, output)
        kept: Kept | None = None
        if kind is OutcomeKind.SCORED and output.artefact is not None:
            kind, cause, kept = self._stored(result, output.artefact, stored)
            score = score if kept else None
        return TrialFinished(
            trial=output.trial_id,
            group=result.group.id,
            member=number,
            kind=kind,
            score=score.value if score else None,
            cause=cause,
            artefact=kept.address if kept else None,
            cpu_seconds=result.usage.cpu_seconds / share + output.resumed[0],
            wall_seconds=result.usage.wall_seconds + sum(one.resumed[1] for one in result.outputs),
            peak_bytes=result.usage.peak_bytes,
            elapsed=self.elapsed,
            facts=dict(output.facts),
            others=dict(score.others) if score else {},
            stored_bytes=kept.stored_bytes if kept else 0,
            curve=output.curve,
            remarks=self._remarks(result, score, output),
        )

    def _remarks(self, result: GroupResult, score: Score | None, output: TrialOutput) -> str:
        """What may be told to whoever proposes next: nothing of a trial that ran on the gate's data."""
        searching = self.state.plan(result.group.id).purpose is Purpose.SCREEN
        return ((score.remarks if score else "") or output.remarks)[:MOST_REMARKS] if searching else ""

    def _stored(self, result: GroupResult, artefact: bytes, before: int) -> tuple[OutcomeKind, str, Kept | None]:
        """Keep an artefact, if a budget of disk leaves room for it: what cannot be kept cannot be judged again."""
        if self.secrets.reveals(artefact):
            return (
                OutcomeKind.TAMPERED,
                "its artefact holds the value of a secret environment variable of the lab",
                None,
            )
        size = artifact_store.room(artefact)
        if size:
            payer = self.state.spending.payer(self.state.plan(result.group.id))
            if reason := exceeded(self.campaign, Spent(disk_bytes=before + size), payer):
                return OutcomeKind.LOST, f"its artefact cannot be kept: {reason}", None
        return OutcomeKind.SCORED, "", Kept(self.keep(artefact), size)

    def _scored(self, result: GroupResult, number: int, output: TrialOutput) -> tuple[OutcomeKind, Score | None, str]:
        if output.artefact is None:
            kind, cause = self._failed(result, output)
            return kind, None, cause
        try:
            arena = self.context.arena_of(self.state.plan(result.group.id))
            given = arena.score(result.group, result.group.trials[number], output.artefact)
            others = {name: float(value) for name, value in given.others.items()}
            score = Score(float(given.value), others, str(given.remarks))
            objection = unfit(arena.spec, score)
        except ArtefactError as error:
            return error.kind, None, str(error)
        except UserError:
            raise  # no score can be had here at all, which says nothing of the candidate
        except Exception as error:
            return OutcomeKind.INVALID, None, f"the scorer failed: {type(error).__name__}: {error}"
        if objection:
            return objection[0], None, objection[1]
        return OutcomeKind.SCORED, score, ""

    def _failed(self, result: GroupResult, output: TrialOutput) -> tuple[OutcomeKind, str]:
        """How a trial failed. One that met a bound below the study's own limits was lost to the budget."""
        kind = output.failure or OutcomeKind.INVALID
        limits = self.context.study.limits
        capped = result.group.limits != limits and result.usage.wall_seconds < limits.seconds
        if kind is OutcomeKind.TIMED_OUT and capped:
            return OutcomeKind.LOST, f"it used up the CPU time that was set aside for it ({output.cause})"
        return kind, output.cause

    def keep(self, artefact: bytes) -> str:
        """Store an artefact; returns what its event says of it."""
        return artifact_store.keep(self.blobs, artefact)

    def _stamped(self, event: Event) -> Event:
        """What a pure decision lacks: dispatches carry the session's clock, and long texts are kept as artefacts."""
        if isinstance(event, GroupDispatched):
            return replace(event, elapsed=self.elapsed)
        if isinstance(event, ModelReplied):
            prompt, reply = self.secrets.clean(event.prompt), self.secrets.clean(event.reply)
            return replace(event, prompt=self.keep(prompt.encode()), reply=self.keep(reply.encode()))
        return event

"""A finding and everything that it rests on, as the record tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from novum.audit.anchor import root
from novum.core.events.campaign import CampaignOpened, SessionStarted
from novum.core.events.event import Record
from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, FindingRecorded, VerdictReached
from novum.core.model.errors import IntegrityError, UserError
from novum.core.model.trial_plan import Purpose, Side
from novum.core.model.verdict import Estimand
from novum.core.state.finding_grade import grade
from novum.core.state.full_state import FullState
from novum.core.state.hypothesis import Hypothesis
from novum.ledger.codec import plain
from novum.ledger.novum_code import code_hash
from novum.version import __version__


@dataclass(frozen=True)
class Dossier:
    """What a pack is made from."""

    state: FullState
    hypothesis: Hypothesis
    opening: CampaignOpened
    sessions: tuple[SessionStarted, ...]
    events: int
    head: str
    """Hash of the last of `events` events; times in microseconds (UTC)."""
    registered_at: int
    found_at: int
    rests_on: tuple[TrialFinished, ...]
    """The trials behind the finding, in the order in which they finished."""

    @property
    def rule(self) -> ConfirmationOpened:
        """The rule it was judged by."""
        assert self.hypothesis.rule
        return self.hypothesis.rule

    @property
    def verdict(self) -> VerdictReached:
        """The verdict."""
        assert self.hypothesis.verdict
        return self.hypothesis.verdict

    @property
    def finding(self) -> FindingRecorded:
        """Its size."""
        assert self.hypothesis.finding
        return self.hypothesis.finding

    @property
    def grade(self) -> str:
        """How well it has held since."""
        return grade(self.hypothesis)

    @property
    def claim(self) -> str:
        """The claim in one sentence."""
        rule = self.rule
        amount = f" by more than {rule.delta:g}" if rule.delta else ""
        way = "higher" if rule.higher_is_better else "lower"
        if rule.delta < 0:
            lost = f"loses less than {-rule.delta:g} {rule.metric} against the incumbent's"
            return f"The candidate {lost}, of which it is a smaller form, over fresh seeds."
        how = "on average" if rule.claim is Estimand.MEAN else "typically"
        return f"The candidate's {rule.metric} is {way}{amount} than the incumbent's, {how} over fresh seeds."

    @property
    def artefacts(self) -> list[str]:
        """The addresses of the blobs it rests on, in order: what trials delivered, and changes to the code they ran."""
        named = [trial.artefact or "" for trial in self.rests_on]
        named += [session.provenance.git_changes for session in self.sessions]
        return sorted({name.removeprefix("sha256:") for name in named if name.startswith("sha256:")})

    def environment(self) -> dict[str, Any]:
        """What the trials may depend on, as the sessions recorded it, and the SHA-256 of the arena's code."""
        sessions = [
            {
                "provenance": plain(one.provenance),
                "session": one.session,
                "versions": dict(one.versions),
                "workers": one.workers,
            }
            for one in self.sessions
        ]
        return {
            "arena": self.opening.study.arena,
            "code": self.opening.code,
            "opened": dict(self.opening.versions),
            "sessions": sessions,
        }

    def predicate(self) -> dict[str, Any]:
        """What the lab states of the pack's files."""
        return {
            "anchor": str(root(self.events, self.head)),
            "claim": {
                "candidate": dict(self.rule.candidate.genome),
                "effect": self.finding.effect,
                "grade": self.grade,
                "incumbent": dict(self.rule.incumbent.genome),
                "interval": plain(self.finding.interval),
                "level": self.finding.level,
                "metric": self.rule.metric,
                "words": self.claim,
            },
            "finding": self.hypothesis.id,
            "lab": self.opening.secret_commitment,
            "ledger": {"events": self.events, "head": self.head},
            "novum": {"code": code_hash(), "version": __version__},
        }


def dossier(records: Iterable[Record], name: str) -> Dossier:
    """The dossier of a finding. Raises UserError when there is no such finding, IntegrityError."""
    state, sessions, times = FullState(), [], dict[str, int]()
    opening, last = None, None
    for record in records:
        event, last = record.event, record
        try:
            state.keep(event)
        except (LookupError, ValueError, TypeError, AttributeError, AssertionError, ArithmeticError) as error:
            raise IntegrityError(f"event {record.seq} contradicts the record before it: {error}") from error
        if isinstance(event, CampaignOpened):
            opening = event
        elif isinstance(event, SessionStarted):
            sessions.append(event)
        elif isinstance(event, ConfirmationOpened | FindingRecorded) and event.hypothesis == name:
            times[type(event).__name__] = record.time
    hypothesis = state.hypotheses.get(name)
    if hypothesis is None or hypothesis.finding is None or opening is None or last is None:
        known = ", ".join(one.id for one in state.findings) or "there is none yet"
        raise UserError(f"{name!r} is no finding of this lab; its findings: {known}")
    return Dossier(
        state,
        hypothesis,
        opening,
        tuple(sessions),
        last.seq,
        last.hash,
        times[ConfirmationOpened.__name__],
        times[FindingRecorded.__name__],
        tuple(rests_on(state, hypothesis)),
    )


def rests_on(state: FullState, hypothesis: Hypothesis) -> Iterator[TrialFinished]:
    """The trials without which a finding cannot be judged again, in the order in which they finished.

    Its own pairs and those of its follow-ups, the sweeps of both sides and of the rivals of its ablations, and the runs
    behind the scale: A/A runs of the incumbent, or the confirming runs of an incumbent that won its place.
    """
    incumbent = hypothesis.registered.incumbent
    rivals = {plan.rival.id for (owner, _), plan in state.ablations.items() if owner == hypothesis.id}
    compared = {hypothesis.candidate.id, incumbent, *rivals}
    crowned = {one.hypothesis for one in state.incumbents if one.candidate.id == incumbent and one.hypothesis}
    for trial in state.finished.values():
        plan = state.plan(trial.group)
        if plan.purpose in (Purpose.SCREEN, Purpose.CALIBRATE):
            needed = plan.candidate.id in compared
        else:
            behind_scale = plan.subject in crowned and plan.side is Side.CANDIDATE
            needed = plan.subject == hypothesis.id or (behind_scale and plan.purpose is not Purpose.FOLLOW_UP)
        if needed:
            yield trial

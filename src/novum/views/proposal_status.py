"""What became of a request from outside: taken or refused, and then how far the hypothesis got that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from novum.core.events.event import Event
from novum.core.events.models_and_people import RequestTaken
from novum.core.events.proposals import HypothesisRegistered, ProposalMade, ProposalRefused
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.views.hypothesis_status import FAILED, hypothesis_status
from novum.views.progress import progress, to_be_screened


@dataclass(frozen=True, slots=True)
class ProposalStatus:
    """Where a proposal stands; `words` may be anybody's."""

    stage: str
    """Waiting, refused, screening, screened, confirming, estimating or settled."""
    words: str
    hypothesis: str = ""
    outcome: str = ""
    """Supported, refuted, inconclusive or failed, once that is known."""
    advantage: float | None = None
    e_value: float | None = None
    threshold: float | None = None
    pairs: int | None = None
    effect: float | None = None
    claims: tuple[str, ...] = ()
    """Ids of its hypotheses; there are several when it was made anew against a newer incumbent."""
    short: int = 0
    """How many more hypotheses must be screened before this one can be confirmed."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.stage in ("refused", "settled")


@dataclass(frozen=True, slots=True)
class TakenRequest:
    """A request that the lab has taken: what it said of it, and the proposal that came of it, if any."""

    author: str
    note: str
    proposal: int | None


@dataclass
class RequestTrail:
    """From requests to hypotheses: give it the events in order. refusals and claims are by number of the proposal."""

    requests: dict[str, TakenRequest] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    claims: dict[int, list[str]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Note what an event says of requests."""
        if isinstance(event, RequestTaken):
            self.requests[event.request] = TakenRequest(event.author, event.note, None)
        elif isinstance(event, ProposalMade) and event.request in self.requests:
            before = self.requests[event.request]
            self.requests[event.request] = TakenRequest(before.author, before.note, event.number)
        elif isinstance(event, ProposalRefused):
            self.refusals[event.number] = event.reason
        elif isinstance(event, HypothesisRegistered):
            self.claims.setdefault(event.number, []).append(event.id)

    def status(self, state: CampaignState, request: str) -> ProposalStatus | None:
        """What became of a request; None while nobody has taken it."""
        taken = self.requests.get(request)
        if taken is None:
            return None
        if taken.proposal is None:
            return ProposalStatus("refused", taken.note)
        if taken.proposal in self.refusals:
            return ProposalStatus("refused", self.refusals[taken.proposal])
        if not (claims := self.claims.get(taken.proposal)):
            return ProposalStatus(
                "waiting",
                f"taken down as proposal {taken.proposal}; the lab, or a person who approves, has yet to look at it",
            )
        return proposal_status(state, [state.hypotheses[name] for name in claims])


def proposal_status(state: CampaignState, claims: Sequence[Hypothesis]) -> ProposalStatus:
    """Where the latest claim of a proposal stands."""
    one = claims[-1]
    now, stage = hypothesis_status(state, one), _stage(state, one)
    running = next((each for each in progress(state).confirming if each.id == one.id), None)
    verdict, size = one.verdict, one.finding
    confirmation_queue = one.phase is Phase.WAITING and stage == "screened"
    short = to_be_screened(state) if confirmation_queue else 0
    return ProposalStatus(
        stage=stage,
        words=_waits(state, one, short) if confirmation_queue else now.reason,
        hypothesis=one.id,
        outcome=now.outcome if verdict or now.outcome == FAILED or stage == "settled" else "",
        advantage=state.advantage(one),
        e_value=running.e_value if running else verdict.e_value if verdict else None,
        threshold=running.threshold if running else verdict.threshold if verdict else None,
        pairs=running.pairs if running else verdict.pairs if verdict else None,
        effect=size.effect if size else None,
        claims=tuple(each.id for each in claims),
        short=short,
    )


def _stage(state: CampaignState, one: Hypothesis) -> str:
    if one.phase is Phase.QUARANTINED:
        return "screened"
    if one.phase is Phase.WAITING:
        return "screened" if one.id in state.confirmation_queue else "settled"
    named = {Phase.SCREENING: "screening", Phase.CONFIRMING: "confirming", Phase.ESTIMATING: "estimating"}
    return named.get(one.phase, "settled")


def _waits(state: CampaignState, one: Hypothesis, short: int) -> str:
    """Why a promising hypothesis is not being confirmed yet."""
    gain = state.advantage(one)
    shown = "" if gain is None else f" with a gain of {gain:+.3g}"
    if short > 0 and state.study.screening.patience:
        return f"screened{shown}; the best that waits is confirmed when {short} more screen no better, or at the end"
    if short > 0:
        return (
            f"screened{shown}; one in {state.study.screening.keep_one_in} screened hypotheses is confirmed, the best "
            f"that waits: propose {short} more, different ones"
        )
    return f"screened{shown}; it waits for its confirmation, the best come first"

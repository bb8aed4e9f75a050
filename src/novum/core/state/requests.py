"""What people and models have asked and cost: a part of the state, folded from their events alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, ModelAsked, ModelReplied, RequestTaken
from novum.core.model.model_call import AGENT, COMMENT, Reply
from novum.core.model.request import Act
from novum.core.state.approvals import Approval, vote


@dataclass
class RequestLog:
    """Requests to models, of people and of agents."""

    taken: dict[str, Act] = field(default_factory=dict)
    paused: bool = False
    stopped: str = ""
    approvals: dict[str, Approval] = field(default_factory=dict)
    reserved: dict[str, ModelAsked] = field(default_factory=dict)
    """Requests to models whose end nobody knows; they count at their worst case until they are settled."""
    tokens: int = 0
    money: float = 0.0
    replies: Counter[Reply] = field(default_factory=Counter)
    denied: dict[str, Reply] = field(default_factory=dict)
    """Requests that were not sent, since they cannot be paid or nobody allowed them."""
    failures_in_a_row: int = 0

    def asked(self, event: ModelAsked) -> None:
        """Set aside what a request may cost."""
        self.reserved[event.request] = event

    def replied(self, event: ModelReplied) -> None:
        """Settle a request."""
        self.reserved.pop(event.request, None)
        if event.template != AGENT:  # an agent's own count is its word, and must not use up anybody's budget
            self.tokens += event.input_tokens + event.output_tokens
            self.money += event.money
        self.replies[event.outcome] += 1
        if event.outcome in (Reply.UNAFFORDABLE, Reply.FORBIDDEN):
            self.denied[event.request] = event.outcome
        if not event.template.startswith(COMMENT):  # what becomes of remarks is nothing to who proposes
            self.failures_in_a_row = 0 if event.outcome is Reply.PROPOSAL else self.failures_in_a_row + 1

    def took(self, event: RequestTaken) -> None:
        """Remember a request, so that it is never taken twice."""
        self.taken[event.request] = event.act
        if event.act in (Act.PAUSE, Act.RESUME):
            self.paused = event.act is Act.PAUSE
        elif event.act is Act.STOP:
            self.stopped = event.note or "no reason given"
        vote(self.approvals, event)

    def wants_approval(self, event: ApprovalAsked) -> None:
        """People are asked."""
        self.approvals[event.id] = Approval(event)

    def closes_approval(self, event: ApprovalClosed) -> None:
        """It is decided."""
        self.approvals[event.id].closed = event

    @property
    def waiting(self) -> list[Approval]:
        """Approvals that nobody has decided yet."""
        return [one for one in self.approvals.values() if one.closed is None]

    def resumed(self) -> None:
        """A new session begins: somebody wants it to go on."""
        self.paused, self.stopped = False, ""

    @property
    def all_tokens(self) -> int:
        """Tokens used or set aside."""
        return self.tokens + sum(one.tokens for one in self.reserved.values())

    @property
    def all_money(self) -> float:
        """US dollars used or set aside."""
        return self.money + sum(one.money for one in self.reserved.values())

"""Events of models and people: what was asked of whom, what it cost, and who wanted what."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.event import Event, Known, event
from novum.core.model.model_call import Reply
from novum.core.model.request import Act


@event("model_asked")
@dataclass(frozen=True, slots=True)
class ModelAsked(Event):
    """A request to a model is about to be sent: tokens and money are set aside for its worst case."""

    request: str
    """SHA-256 of everything that is sent, the model included; the same request has the same one."""
    model: str
    author: str
    tokens: int
    money: float

    def sentence(self, known: Known) -> str:
        return f"{self.model} for {self.author}: {self.tokens:,} tokens and ${self.money:.4f} set aside"


@event("model_replied")
@dataclass(frozen=True, slots=True)
class ModelReplied(Event):
    """What came back.

    tokens as the provider counts them, money in US dollars by a price table, seconds of waiting.
    """

    request: str
    model: str
    outcome: Reply
    cause: str
    template: str
    """SHA-256 of the prompt's template."""
    prompt: str
    reply: str
    """This and `prompt`: "sha256:..." (a blob) or "hex:..."."""
    input_tokens: int
    output_tokens: int
    money: float
    seconds: float
    replayed: bool = False

    def acted_by(self) -> str:
        return self.model

    def sentence(self, known: Known) -> str:
        used = f"{self.input_tokens + self.output_tokens:,} tokens, ${self.money:.4f}, {self.seconds:.1f} s"
        return f"{self.model}: {self.outcome} ({used}){f': {self.cause}' if self.cause else ''}"


@event("request_taken")
@dataclass(frozen=True, slots=True)
class RequestTaken(Event):
    """Somebody asked something of the lab by its mailbox; what follows from it comes in the events after this one."""

    request: str
    act: Act
    author: str
    note: str
    about: str = ""
    """The approval that an answer counts for; empty for other acts, and for answers that do not count."""

    def acted_by(self) -> str:
        return self.author

    def sentence(self, known: Known) -> str:
        return f"{self.author} asks to {self.act}{f': {self.note}' if self.note else ''}"


@event("approval_asked")
@dataclass(frozen=True, slots=True)
class ApprovalAsked(Event):
    """The policy wants people's approval of an act, by `author`, of exactly this content (a content address)."""

    id: str
    act: str
    author: str
    content: str
    summary: str
    expires: float
    """Seconds of the campaign after which silence is a no."""

    def sentence(self, known: Known) -> str:
        return f"{self.id}: may {self.author} {self.act}? {self.summary}"


@event("approval_closed")
@dataclass(frozen=True, slots=True)
class ApprovalClosed(Event):
    """What people said, or that nobody did."""

    id: str
    granted: bool
    reason: str

    def sentence(self, known: Known) -> str:
        return f"{self.id}: {'granted' if self.granted else 'refused'}, {self.reason}"

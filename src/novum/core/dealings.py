"""The events of models and people: what was asked of whom, what it cost, and who wanted what.

Part of the vocabulary of `novum.core.events`, which is where they are imported from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AGENT = "agent"
"""Stands for the template of a prompt that an agent outside was given."""


COMMENTS = "comments"
"""The author of requests for comments: nobody is asked whether they may be made, and nothing waits for them."""

COMMENT = "comment:"
"""What stands before the template of a request for a comment."""


class Reply(StrEnum):
    """How a request to a model ended. Only `proposal` led to one, `comment` to words; none ever stops the lab."""

    PROPOSAL = "proposal"
    MALFORMED = "malformed"
    EMPTY = "empty"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    RATE_LIMITED = "rate_limited"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    UNAFFORDABLE = "unaffordable"
    FORBIDDEN = "forbidden"
    COMMENT = "comment"


class Act(StrEnum):
    """What somebody outside may ask of a running lab."""

    PROPOSE = "propose"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    APPROVE = "approve"
    DENY = "deny"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """A request to a model is about to be sent: tokens and money are set aside for its worst case.

    request: SHA-256 of everything that is sent, the model included; the same request has the same one.
    """

    request: str
    model: str
    author: str
    tokens: int
    money: float


@dataclass(frozen=True, slots=True)
class ModelReplied:
    """What came back. prompt and reply: "sha256:..." (a blob) or "hex:..."; template: SHA-256 of the prompt's template.

    tokens as the provider counts them, money in US dollars by a price table, seconds of waiting.
    """

    request: str
    model: str
    outcome: Reply
    cause: str
    template: str
    prompt: str
    reply: str
    input_tokens: int
    output_tokens: int
    money: float
    seconds: float
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class RequestTaken:
    """Somebody asked something of the lab by its mailbox; what follows from it comes in the events after this one.

    about: the approval that an answer counts for; empty for other acts, and for answers that do not count.
    """

    request: str
    act: Act
    author: str
    note: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """The policy wants people's approval of an act, by `author`, of exactly this content (a content address).

    expires: seconds of the campaign after which silence is a no.
    """

    id: str
    act: str
    author: str
    content: str
    summary: str
    expires: float


@dataclass(frozen=True, slots=True)
class ApprovalClosed:
    """What people said, or that nobody did."""

    id: str
    granted: bool
    reason: str

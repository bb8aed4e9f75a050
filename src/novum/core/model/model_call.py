"""Requests to models: what is asked, how it ended, and what it cost."""

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


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A request to a model and its end. request: SHA-256 of all that was sent; template: of the prompt's template.

    tokens as the provider counts them, money in US dollars, seconds of waiting; replayed: from a record, not a model.
    """

    request: str
    model: str
    outcome: Reply
    cause: str = ""
    template: str = ""
    prompt: str = ""
    reply: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request that a researcher would send: tokens and money (US dollars) are its worst case."""

    request: str
    """SHA-256 of everything that is sent, the model included; the same request has the same one."""
    model: str
    author: str
    tokens: int
    money: float

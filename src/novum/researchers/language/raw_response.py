"""What came back from a model before anybody has looked at what it says."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.model_call import ModelCall, Reply
from novum.researchers.language.model_request import Request

REPLY_BYTES = 2 << 20
"""Larger answers are not read to their end."""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer, or the way the request failed. outcome: None when there is a text to be read.

    input_tokens, output_tokens: as the provider counts them, None when nobody knows. charged: whether the request may
    have cost something. retry_after: seconds that the provider asks to wait.
    """

    outcome: Reply | None = None
    text: str = ""
    cause: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    charged: bool = True
    retry_after: float | None = None
    seconds: float = 0.0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """What a request is taken to have cost: tokens, US dollars, and a remark."""

    input_tokens: int
    output_tokens: int
    money: float
    remark: str = ""


def settled(
    request: Request, heard: RawResponse, outcome: Reply, cause: str, template: str, *, replayed: bool = False
) -> ModelCall:
    """The end of a request, with what it is taken to have cost."""
    cost = bill(request, heard)
    return ModelCall(
        request=request.id,
        model=request.model.label,
        outcome=outcome,
        cause="; ".join(part for part in (cause, cost.remark) if part),
        template=template,
        prompt=request.content.decode(),
        reply=heard.text,
        input_tokens=cost.input_tokens,
        output_tokens=cost.output_tokens,
        money=cost.money,
        seconds=heard.seconds,
        replayed=replayed,
    )


def bill(request: Request, heard: RawResponse) -> Bill:
    """Never more than was set aside, and never less than the provider says: what nobody knows is the worst case."""
    if not heard.charged:
        return Bill(0, 0, 0.0)
    most_in, most_out = request.max_input, request.max_output
    counted_in, counted_out = heard.input_tokens or None, heard.output_tokens  # no prompt is of no tokens
    if counted_in is None and not counted_out:
        counted_out = None
    taken_in = most_in if counted_in is None else min(max(0, counted_in), most_in)
    taken_out = most_out if counted_out is None else min(max(0, counted_out), most_out)
    remark = ""
    if counted_in is None or counted_out is None:
        remark = "nobody knows its cost: the worst case counts"
    elif (taken_in, taken_out) != (counted_in, counted_out):
        remark = f"it claims {counted_in} and {counted_out} tokens, which cannot be"
    return Bill(taken_in, taken_out, request.model.price.of(taken_in, taken_out), remark)

"""What a provider's body says under status 200, before a client library reads it: an answer, an error, or nothing.

Gateways and servers send errors under 200, null for what they do not know, and leave out what no answer needs. Here the
error is taken for one, null is as if it were left out, and what the client library insists on is filled in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from novum.core.model.model_call import Reply
from novum.researchers.language.raw_response import REPLY_BYTES, RawResponse
from novum.text.bounded_json import JsonBounds, load_json

Protocol = Literal["openai", "anthropic"]
Json = dict[str, Any]

_BOUNDS = JsonBounds(size=REPLY_BYTES, values=200_000, containers=50_000)
_NOTHING = {"openai": "choices", "anthropic": "content"}
_SAYS = ("message", "detail", "error_description", "msg", "error", "title")
_RATE_LIMIT = (429, "429", "rate_limit_error", "rate_limit_exceeded", "too_many_requests")
_CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """data: the body as the client library may read it. failure: set where it is no answer.

    input_tokens, output_tokens: as the provider counts them, None where it does not.
    """

    data: bytes
    failure: RawResponse | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


def read_reply(data: bytes, protocol: Protocol) -> ProviderReply:
    """Read a body. One that is no JSON is left to the client library. Never raises."""
    try:
        said = _without_nulls(load_json(data, _BOUNDS))
    except (ValueError, RecursionError):
        return ProviderReply(data)
    if not isinstance(said, dict):
        own = f"; it says: {said}" if isinstance(said, str) else ""
        return ProviderReply(
            data, _unanswered(Reply.MALFORMED, f"the provider's reply is no JSON object{own}", None, None)
        )
    taken, given = _counts(said)
    if failure := _failure(said, protocol, taken, given):
        return ProviderReply(data, failure, taken, given)
    filled = _openai(said, taken, given) if protocol == "openai" else _anthropic(said, taken, given)
    return ProviderReply(json.dumps(filled).encode(), None, taken, given)


def words(body: Any) -> str:
    """The provider's own words of what went wrong, as far as they are words."""
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    said = next((text for key in _SAYS if (text := words(body.get(key)))), "")
    mark = next((body[key] for key in ("code", "type") if isinstance(body.get(key), str | int)), "")
    return f"{said} ({mark})" if said and mark and mark != "error" else said or (str(mark) if mark != "error" else "")


def _failure(said: Json, protocol: Protocol, taken: int | None, given: int | None) -> RawResponse | None:
    """What a body amounts to that holds no answer, with what the provider says of it."""
    error, nothing = said.get("error"), _NOTHING[protocol]
    content = said.get(nothing)
    if protocol == "openai":
        content = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else None
        error = error or (content[0].get("error") if content else None)
    if error:
        cause = f"the provider answered with an error: {words(error) or 'it does not say which'}"
        return _unanswered(Reply.RATE_LIMITED if _is_rate_limit(error) else Reply.UNREACHABLE, cause, taken, given)
    if isinstance(content, list) and (content or protocol == "anthropic"):
        return None
    if protocol == "anthropic" and content is None and said.get("type") == "message":
        return None  # an answer without any content, which is told as such
    own = words({key: said[key] for key in _SAYS if key in said})
    cause = f"the provider's reply has no {nothing}" + (f"; it says: {own}" if own else "")
    return _unanswered(Reply.MALFORMED, cause, taken, given)


def _unanswered(outcome: Reply, cause: str, taken: int | None, given: int | None) -> RawResponse:
    """No answer: it costs what the provider counts, and nothing where it counts nothing."""
    used = bool(taken or given)
    return RawResponse(outcome, cause=cause, input_tokens=taken, output_tokens=given or 0, charged=used)


def _is_rate_limit(error: Any) -> bool:
    return isinstance(error, dict) and any(error.get(key) in _RATE_LIMIT for key in ("code", "type", "status"))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value if one is not None] if isinstance(value, list) else value


def _counts(said: Json) -> tuple[int | None, int | None]:
    """Tokens of prompt and answer by the provider's count."""
    usage = said.get("usage")
    if not isinstance(usage, dict):
        return None, None
    taken, given = _first(usage, "prompt_tokens", "input_tokens"), _first(usage, "completion_tokens", "output_tokens")
    cached = sum(max(0, _first(usage, name) or 0) for name in _CACHED)
    return None if taken is None else taken + cached, given


def _first(usage: Json, *names: str) -> int | None:
    return next((usage[name] for name in names if type(usage.get(name)) is int), None)


def _openai(said: Json, taken: int | None, given: int | None) -> Json:
    """An answer with the parts that are read here, and what the client library insists on. One choice is asked for."""
    choice = next(one for one in said["choices"] if isinstance(one, dict))
    message = choice["message"] if isinstance(choice.get("message"), dict) else {}
    told = {"role": "assistant", "content": _content(message.get("content")), **_texts(message, "refusal")}
    usage = {"prompt_tokens": taken or 0, "completion_tokens": given or 0, "total_tokens": (taken or 0) + (given or 0)}
    return {
        **{"id": "unknown", "model": "unknown", **_texts(said, "id", "model")},
        "object": "chat.completion",
        "created": 0,
        "choices": [{"index": 0, "message": told, **_texts(choice, "finish_reason")}],
        "usage": usage,
    }


def _anthropic(said: Json, taken: int | None, given: int | None) -> Json:
    """The same for the other protocol."""
    return {
        **{"id": "unknown", "model": "unknown", **_texts(said, "id", "model", "stop_reason")},
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": _content(said.get("content"))}],
        "usage": {"input_tokens": taken or 0, "output_tokens": given or 0},
    }


def _content(value: Any) -> str:
    """The text of an answer, whole or in parts."""
    if isinstance(value, str):
        return value
    parts = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return "".join(one["text"] for one in parts if isinstance(one.get("text"), str))


def _texts(said: Json, *keys: str) -> Json:
    return {key: said[key] for key in keys if isinstance(said.get(key), str)}

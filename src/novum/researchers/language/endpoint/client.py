"""One HTTP request to a model, and how it ended. The only file that knows pydantic-ai; it is imported when needed.

Nothing is retried here: each request was set aside for, and a second one would not have been.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import Any, cast

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import exceptions as wrong
from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, SystemPromptPart, TextPart, UserPromptPart
from pydantic_ai.models import Model as Served
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from novum.core.model.model_call import Reply
from novum.researchers.language.endpoint.provider_reply import ProviderReply, words
from novum.researchers.language.endpoint.transport import Exchange, TooLargeError, http_client
from novum.researchers.language.language_options import KEYS
from novum.researchers.language.model_request import Request
from novum.researchers.language.raw_response import RawResponse
from novum.researchers.language.untrusted_text import line, without_secrets

MAX_CAUSE = 300


async def ask(request: Request, timeout: float, url: str, exchange: Exchange) -> RawResponse:
    """Send one request and wait for its end, at most `timeout` seconds. exchange: told whether it was sent."""
    started = time.monotonic()
    heard = await _asked(request, timeout, url, exchange)
    if exchange.reply and exchange.reply.failure:
        heard = exchange.reply.failure
    if not exchange.sent:
        heard = replace(heard, charged=False)
    seconds = round(time.monotonic() - started, 3)
    return replace(heard, seconds=seconds, cause=line(without_secrets(heard.cause), MAX_CAUSE))


def exchange_of(request: Request) -> Exchange:
    """What will be known of a request on its way."""
    return Exchange("anthropic" if request.model.provider == "anthropic" else "openai")


async def _asked(request: Request, timeout: float, url: str, exchange: Exchange) -> RawResponse:
    try:
        async with asyncio.timeout(timeout), http_client(url, timeout, exchange) as http:
            response = await _sent(_served(request, url, http), request, timeout)
            return _answered(response, exchange.reply or ProviderReply(b""))
    except TimeoutError:
        return RawResponse(Reply.TIMED_OUT, cause=f"no answer within {timeout:g} seconds")
    except wrong.AgentRunError as error:
        return _failed(error)
    except Exception as error:
        # Whatever a library or a provider does wrong is a failed request, not a failed lab.
        outcome = Reply.MALFORMED if exchange.sent else Reply.UNREACHABLE
        return RawResponse(outcome, cause=f"{type(error).__name__}: {error}")


def _served(request: Request, url: str, http: httpx2.AsyncClient) -> Served:
    """The model behind its provider's client. A key is sent to its own provider, or to an address that was given."""
    model = request.model
    key = os.environ.get(KEYS.get(model.provider, ""), "") or "none"
    if model.provider == "anthropic":
        client = AsyncAnthropic(api_key=key, base_url=url, http_client=http, max_retries=0)
        return AnthropicModel(model.name, provider=AnthropicProvider(anthropic_client=client))
    openai = AsyncOpenAI(api_key=key, base_url=url, http_client=http, max_retries=0)
    return OpenAIChatModel(model.name, provider=OpenAIProvider(openai_client=openai))


async def _sent(served: Served, request: Request, timeout: float) -> ModelResponse:
    native = bool(served.profile.get("supports_json_schema_output"))
    parameters = ModelRequestParameters(
        output_mode="native" if native else "text",
        output_object=OutputObjectDefinition(json_schema=request.schema, name="proposal") if native else None,
    )
    settings: dict[str, Any] = {**request.settings, "timeout": timeout}
    return await model_request(
        served,
        list(_messages(request, native=native)),
        model_settings=cast(ModelSettings, settings),
        model_request_parameters=parameters,
    )


def _messages(request: Request, *, native: bool) -> list[ModelMessage]:
    """The conversation; who is not held to the schema by the provider is shown it."""
    said: list[ModelMessage] = []
    for number, one in enumerate(request.messages):
        if one.role == "assistant":
            said.append(ModelResponse(parts=[TextPart(one.text)]))
        elif one.role == "system":
            schema = "" if native else f"\nThe schema of the answer:\n{request.schema}"
            said.append(ModelRequest(parts=[SystemPromptPart(one.text + schema)]))
        else:
            part = UserPromptPart(one.text)
            if number and isinstance(said[-1], ModelRequest):
                said[-1] = ModelRequest(parts=[*said[-1].parts, part])
            else:
                said.append(ModelRequest(parts=[part]))
    return said


def _answered(response: ModelResponse, reply: ProviderReply) -> RawResponse:
    """What an answer amounts to, by its end and its text, and its tokens as the provider counts them."""
    details = response.provider_details or {}
    said = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    text = without_secrets(said.encode(errors="replace").decode())
    outcome, cause = None, ""
    if details.get("refusal") or response.finish_reason == "content_filter":
        outcome, cause = Reply.REFUSED, str(details.get("refusal") or "refused by the provider's content filter")
    elif not text.strip():
        cut = response.finish_reason == "length"
        outcome = Reply.TRUNCATED if cut else Reply.EMPTY
        cause = "the answer ended before its text began: raise max_tokens" if cut else "the answer holds no text"
    return RawResponse(
        outcome=outcome,
        text=text,
        cause=cause,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        truncated=response.finish_reason == "length",
    )


def _failed(error: wrong.AgentRunError) -> RawResponse:
    """The outcome of a request that brought no answer. Only what the provider certainly did not do is free."""
    if isinstance(error, wrong.ContentFilterError):
        return RawResponse(Reply.REFUSED, cause=error.message)
    if isinstance(error, wrong.OutputTokenLimitExceeded):
        return RawResponse(Reply.TRUNCATED, cause=error.message)
    if isinstance(error, wrong.ModelRateLimitError):
        return RawResponse(Reply.RATE_LIMITED, cause=_said(error), charged=False, retry_after=error.retry_after)
    if isinstance(error, wrong.ModelTimeoutError | wrong.ModelRequestTimeout):
        return RawResponse(Reply.TIMED_OUT, cause=error.message)
    if isinstance(error, wrong.ModelConnectionError):
        return _unconnected(error)
    if type(error) is wrong.ModelAPIError:  # none of its categories: what came cannot be decoded
        return RawResponse(Reply.MALFORMED, cause=error.message)
    if isinstance(error, wrong.ModelAPIError):
        charged = not isinstance(error, wrong.ModelHTTPError)
        return RawResponse(Reply.UNREACHABLE, cause=_said(error), charged=charged, retry_after=error.retry_after)
    return RawResponse(Reply.MALFORMED, cause=error.message)


def _unconnected(error: wrong.ModelConnectionError) -> RawResponse:
    last: BaseException = error
    while (inner := last.__cause__ or last.__context__) is not None:
        if isinstance(inner, TooLargeError):
            return RawResponse(Reply.MALFORMED, cause=str(inner))
        last = inner
    told = f"{error.message} ({type(last).__name__}: {last})" if str(last) not in ("", error.message) else error.message
    return RawResponse(Reply.UNREACHABLE, cause=told)


def _said(error: wrong.ModelAPIError) -> str:
    """The provider's own words, as far as they are words."""
    status = f"HTTP {error.status_code}" if isinstance(error, wrong.ModelHTTPError) else "the provider failed"
    said = words(error.body)
    return f"{status}: {said}" if said else status

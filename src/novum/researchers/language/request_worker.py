"""Requests in the background, a thread for each, ended at once when the lab ends."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novum.core.model.errors import NovumError
from novum.core.model.model_call import Reply
from novum.researchers.language.endpoint.ready import check_key
from novum.researchers.language.local_server import LocalServer
from novum.researchers.language.model_request import Request
from novum.researchers.language.raw_response import RawResponse
from novum.researchers.language.untrusted_text import line, without_secrets

if TYPE_CHECKING:
    from novum.researchers.language.endpoint.transport import Exchange

GRACE_SECONDS = 5.0
"""How long an answer that is in waits to be fetched before it counts as unwanted."""

JOIN_SECONDS = 5.0


@dataclass
class Call:
    """One request in flight, or its end in `heard`."""

    request: Request
    heard: RawResponse | None = None
    over: float = 0.0
    exchange: Exchange | None = None

    @property
    def sent(self) -> bool:
        """Whether any of it left this process: what was never sent costs nothing."""
        return self.exchange is not None and self.exchange.sent

    @property
    def awaited(self) -> bool:
        """Whether its end is still to come, or has only just come."""
        return self.heard is None or time.monotonic() - self.over < GRACE_SECONDS


@dataclass
class Caller:
    """Sends requests, each from a thread of its own, which lives as long as it does. `timeout`: seconds for each."""

    timeout: float
    _server: LocalServer = field(default_factory=LocalServer)
    _threads: list[threading.Thread] = field(default_factory=list)
    _loops: set[asyncio.AbstractEventLoop] = field(default_factory=set)
    _closed: threading.Event = field(default_factory=threading.Event)

    def send(self, request: Request) -> Call:
        """Begin a request; returns at once."""
        call = Call(request)
        self._threads = [one for one in self._threads if one.is_alive()]
        thread = threading.Thread(target=self._run, args=(call,), name="novum-language", daemon=True)
        self._threads.append(thread)
        thread.start()
        return call

    def _run(self, call: Call) -> None:
        try:
            call.heard = self._heard(call)
        except BaseException as error:
            cause = line(without_secrets(f"{type(error).__name__}: {error}"), 300)
            call.heard = RawResponse(Reply.UNREACHABLE, cause=cause, charged=call.sent)
        finally:
            call.over = time.monotonic()
            call.heard = call.heard or RawResponse(Reply.UNREACHABLE, cause="the request was ended", charged=call.sent)

    def _heard(self, call: Call) -> RawResponse:
        request = call.request
        try:
            check_key(request.model, "the study")
            url = self._server.url() if request.model.provider == "local" else request.model.address
        except NovumError as error:
            return RawResponse(Reply.UNREACHABLE, cause=str(error), charged=False)
        from novum.researchers.language.endpoint.client import ask, exchange_of

        call.exchange = exchange_of(request)
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            self._loops.add(loop)
            if self._closed.is_set():
                return RawResponse(Reply.UNREACHABLE, cause="the lab ends", charged=False)
            try:
                return runner.run(ask(request, self.timeout, url, call.exchange))
            finally:
                self._loops.discard(loop)

    def close(self) -> None:
        """Cancel what is in flight, end the local model, wait for the threads."""
        self._closed.set()
        self._server.close()
        for loop in tuple(self._loops):
            with suppress(RuntimeError):  # it may just have ended by itself
                loop.call_soon_threadsafe(_cancel_all, loop)
        until = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads.clear()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()

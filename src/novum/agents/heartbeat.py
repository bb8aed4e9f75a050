"""Signs of life while an agent runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from novum.agents.agent_task import Usage
from novum.agents.relay import Relay

BEAT_SECONDS = 15.0


class Heartbeat:
    """Says every now and then how long the agent runs and what it has asked of its model, within its block."""

    def __init__(self, seconds: float, relay: Relay | None, say: Callable[[str], None]) -> None:
        self._seconds, self._relay, self._say = seconds, relay, say
        self._over = threading.Event()

    def __enter__(self) -> Heartbeat:
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def _beat(self) -> None:
        began = time.monotonic()
        while not self._over.wait(BEAT_SECONDS):
            self._say(f"{time.monotonic() - began:.0f} s of at most {self._seconds:g} s{self._asked()}")

    def _asked(self) -> str:
        if self._relay is None:
            return ""
        calls = self._relay.calls
        used = sum((call.usage for call in calls), Usage())
        return f"; {len(calls)} requests to the model, {used.input_tokens} + {used.output_tokens} tokens"

"""A machine's own executor in a thread of its own: groups in, results out, without waiting for each other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import GroupResult, TrialGroup
from novum.executors.local.executor import LocalExecutor

POLL_SECONDS = 0.02
"""Between two looks for new groups while others run."""

Ran = Callable[[int, GroupResult], None]
Failed = Callable[[str], None]


class TrialRunner:
    """Runs groups by their fences in `slots` worker processes; `ran` and `failed` are called in its thread."""

    def __init__(self, program: str, slots: int, ran: Ran, failed: Failed) -> None:
        self._program, self._slots, self._ran, self._failed = program, slots, ran, failed
        self._inbox: queue.SimpleQueue[tuple[int, TrialGroup] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="novum-trials", daemon=True)
        self._thread.start()

    def submit(self, fence: int, group: TrialGroup) -> None:
        """Run a group."""
        self._inbox.put((fence, group))

    def close(self) -> None:
        """End what runs, within a second or two."""
        self._inbox.put(None)
        self._thread.join(5.0)

    def _work(self) -> None:
        running: dict[int, int] = {}
        try:
            with LocalExecutor(self._program, self._slots) as executor:
                while self._take(executor, running):
                    for result in executor.collect(POLL_SECONDS) if running else ():
                        self._ran(running.pop(id(result.group)), result)
        except ExecutorError as error:
            self._failed(str(error))
        except Exception as error:  # a machine that runs nothing any more must not look as if it did
            self._failed(f"{type(error).__name__}: {error}")

    def _take(self, executor: LocalExecutor, running: dict[int, int]) -> bool:
        """Submit what has come; with nothing to do, wait for it. False at the end."""
        while True:
            try:
                asked = self._inbox.get(timeout=POLL_SECONDS * 50) if not running else self._inbox.get_nowait()
            except queue.Empty:
                return True
            if asked is None:
                return False
            fence, group = asked
            running[id(group)] = fence
            executor.submit(group)

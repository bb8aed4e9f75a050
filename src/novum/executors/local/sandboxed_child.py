"""Walls around the children of a server: what they may see, the trial entry at the start, and a room for each group."""

from __future__ import annotations

import importlib.util
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from novum.core.model.trial import Limits
from novum.executors.local.kernel_limits import confine
from novum.sandbox.confine_fork import DISK_BYTES, OWN_TASKS, Enclosure, enter, prepare
from novum.sandbox.job import Bounds, Tier, Verdict
from novum.sandbox.limits.rlimits import SHARED_POOLS
from novum.sandbox.limits.socket_memory import descriptor_bytes, namespace_bytes
from novum.sandbox.visible.visible_paths import drops_user, fresh_user
from novum.sandbox.workdir import disk_look, work_directory


@dataclass(frozen=True, slots=True)
class Room:
    """The sandbox of one group. `look` is a further look at the running group: a verdict, or None."""

    enclosure: Enclosure
    user: int | None
    work: Path | None
    look: Callable[[], Verdict | None]

    @property
    def own_processes(self) -> int:
        """How many of the processes in the tree are the sandbox's own: the one that waits for process 1."""
        return int(self.enclosure.tier is Tier.NAMESPACES)

    def socket_bytes(self, tree: list[int]) -> int:
        """Bytes to charge for the sockets of the processes `tree`, once they are behind the walls."""
        if not tree:
            return 0
        return namespace_bytes(tree[-1]) if self.enclosure.tier is Tier.NAMESPACES else descriptor_bytes(tree)

    def enter(self, limits: Limits, space: int) -> None:
        """Put this process behind the walls and its limits on it. Raises when that fails."""
        counts_apart = self.user is not None or self.enclosure.tier is Tier.NAMESPACES
        ceiling = OWN_TASKS if counts_apart else None
        enter(self.enclosure, self.user, self.work, lambda: confine(limits, space, ceiling, SHARED_POOLS))


class Walls:
    """What a server works out once for all its rooms."""

    def __init__(self, tier: str, program: str) -> None:
        self.enclosure = prepare(Tier(tier), (Path(__file__).parents[1], *_home(program)))

    @contextmanager
    def room(self) -> Iterator[Room]:
        """A room for one group; its private directory, where the tier needs one, is removed afterwards."""
        user = fresh_user() if drops_user() else None
        if self.enclosure.tier is Tier.NAMESPACES:
            yield Room(self.enclosure, user, None, lambda: None)
            return
        with work_directory(None, user) as work:
            look = disk_look(work, Bounds(disk_bytes=DISK_BYTES), os.getpid())
            yield Room(self.enclosure, user, work, look)

    def try_out(self) -> None:
        """Enter a room once. Raises RuntimeError when that fails; the reason is printed."""
        with self.room() as room:
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    room.enter(Limits(), 0)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            if os.waitpid(pid, 0)[1] != 0:
                raise RuntimeError(f"a sandbox of tier {self.enclosure.tier} could not be entered")


def _home(program: str) -> tuple[Path, ...]:
    """Where the program's own package lies, for what it imports later; nothing beside it is shown."""
    found = importlib.util.find_spec(program.partition(".")[0])
    if found is None:
        return ()
    if found.submodule_search_locations:
        return tuple(Path(place).absolute() for place in found.submodule_search_locations)
    return (Path(found.origin).absolute(),) if found.origin and found.has_location else ()

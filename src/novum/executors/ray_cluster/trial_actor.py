"""What runs in an actor's process on a node: Novum's own local executor with one worker, and the limits that it brings.

The actor unpickles groups that the lab packed, and answers in raw bytes: a frame of a JSON header and artefacts, as
the local executor's servers do. Its parent is Ray's raylet; when that dies, the kernel ends the actor, whose fork
server then ends the group and all its processes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import GroupResult, OutcomeKind, TrialGroup, TrialOutput
from novum.executors.local.executor import LocalExecutor
from novum.executors.local.frames import Report, pack, pack_outputs, pack_report, take, unpack_group
from novum.executors.local.kernel_limits import die_with_parent
from novum.executors.output_checks import CLAIMABLE
from novum.executors.ray_cluster.actor_plan import ActorPlan
from novum.sandbox.gpus.found_gpus import gpus_here
from novum.sandbox.job import Tier
from novum.sandbox.probe import sandbox_status
from novum.sandbox.process_tree import memory_pages
from novum.version import __version__

GROUPS = 10_000
"""After so many an actor is replaced. A new one costs two seconds of a core, 0.2 ms for each of these groups, and
nothing that a long-lived process of Ray's leaks can become large meanwhile."""
GROWTH_BYTES = 256 << 20
"""By so much may its process grow: it holds no trial, only messages, of at most 65 MiB each, and idle processes of Ray
that grew to gigabytes have been reported."""


class TrialActor:
    """One worker. Ray makes it with `max_restarts=0`, `max_task_retries=0`: the lab alone decides what runs again."""

    def __init__(self, plan: ActorPlan) -> None:
        die_with_parent(os.getppid(), signal.SIGKILL)
        found = [path for path in plan.paths if Path(path).is_dir()]
        own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, [*own, *found])))
        self._plan = plan
        self._place = LocalExecutor(plan.program, 1, None if plan.sandbox is None else Tier(plan.sandbox))
        if plan.live is not None:
            self._place.show_progress_in(Path(plan.live))
        self._groups = 0
        self._size = 0

    def who(self) -> bytes:
        """The version of Novum here, the node and the process, before anything of the program is loaded."""
        from ray.util import get_node_ip_address  # only here: who reads this module need not have Ray

        return pack({"version": __version__, "node": get_node_ip_address(), "pid": os.getpid()})

    def prepare(self) -> bytes:
        """Load the program, and say which sandbox tier works here; "unusable" says why it cannot be loaded."""
        try:
            if self._plan.gpus and self._plan.pool is None and len(gpus_here().gpus) < self._plan.gpus:
                raise ExecutorError(
                    f"Ray gave the actor {self._plan.gpus} GPUs, and Novum finds {len(gpus_here().gpus)} of them: see "
                    "`novum doctor` on that node"
                )
            self._place.prepare()
        except ExecutorError as error:
            return pack({"unusable": str(error)})
        self._size = memory_pages()[1]
        return pack({"tier": str(sandbox_status().tier)})

    def run(self, packed: bytes) -> bytes:
        """Run a group. Returns a packed report; its header says under "replace" whether this actor is worn out."""
        frame = take(bytearray(packed))
        assert frame is not None
        group = unpack_group(frame)
        if self._plan.gpus and self._plan.pool is None:
            group = replace(group, gpus=gpus_here().gpus[: self._plan.gpus])
        try:
            result = self._result(group)
        except ExecutorError as error:
            return pack({"unusable": str(error)})
        self._groups += 1
        return pack_report(_report(result), {"replace": self._is_worn(result)})

    def _result(self, group: TrialGroup) -> GroupResult:
        self._place.submit(group)
        while not (done := self._place.collect(60.0)):
            pass
        return done[0]

    def _is_worn(self, result: GroupResult) -> bool:
        """After a group that was lost no server is ready here, and what comes next must not wait for one."""
        lost = any(output.failure is OutcomeKind.LOST for output in result.outputs)
        return lost or self._groups >= GROUPS or memory_pages()[1] - self._size > GROWTH_BYTES


def _report(result: GroupResult) -> Report:
    """What the local executor found, in the form in which it was told: an ending of all trials, or their outputs."""
    ended = _ending(result.outputs)
    if ended is not None:
        return Report(ended.failure, ended.cause, "", result.usage, b"")
    return Report(None, "", "", result.usage, pack_outputs(result.outputs))


def _ending(outputs: Sequence[TrialOutput]) -> TrialOutput | None:
    """The one failure that no program may claim, and that all trials of a group have in common."""
    return next((one for one in outputs if one.failure is not None and one.failure not in CLAIMABLE), None)

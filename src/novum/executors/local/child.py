"""What a forked child does: confine itself, run one group, hand over the frame, end. It never returns."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from novum.core.model.hardware import Gpu
from novum.core.model.trial import OutcomeKind, TrialGroup, TrialOutput
from novum.executors.local.frames import ENTERED, MAX_HEADER_BYTES, pack_ending, pack_outputs, pack_plain
from novum.executors.local.kernel_limits import confine, die_with_parent, release_reserve
from novum.executors.output_checks import checked, classify

if TYPE_CHECKING:
    from novum.executors.local.sandboxed_child import Room

_RESULT = 3

# Plain numbers and the C module: the enums of `signal` cost a child a dozen copied pages.
_KILL, _DEFAULT = int(signal.SIGKILL), int(signal.SIG_DFL)
_OURS = tuple(map(int, (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP)))

Run = Callable[[TrialGroup], Sequence[TrialOutput]]


@dataclass(frozen=True, slots=True)
class Birth:
    """What the server hands to its child: pipe ends to use, descriptors to close, figures it knows already, walls."""

    result: int
    log: int
    close: tuple[int, ...]
    server: int
    space: int
    ceiling: int | None
    room: Room | None = None


def live(run: Run, group: TrialGroup, birth: Birth) -> NoReturn:
    """Run `group` and end the process. Exit status 0 means that a frame was written."""
    status = 1
    try:
        die_with_parent(birth.server, _KILL)
        _detach(birth)
        if birth.room is None:
            confine(group.limits, birth.space, birth.ceiling, gpus=bool(group.gpus))
        else:
            birth.room.enter(group.limits, birth.space)
            os.write(_RESULT, ENTERED)
        if group.gpus:
            _select(group.gpus)
        me = os.getpid()
        payload = _execute(run, group)
        # A program that forked inside run() comes back here twice; only the child itself may answer.
        if os.getpid() == me:
            _write(payload)
            status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):
                stream.flush()
        os._exit(status)


def _select(gpus: tuple[Gpu, ...]) -> None:
    """Libraries of this process find the GPUs that its group holds, and no others."""
    from novum.sandbox.gpus.gpu_access import access_to  # only here: without GPUs a child has no use for it

    if access := access_to(gpus):
        os.environ.update(access.environment)


def _detach(birth: Birth) -> None:
    os.setsid()
    _signal.set_wakeup_fd(-1)
    for number in _OURS:
        _signal.signal(number, _DEFAULT)
    # Both pipe ends lie above 3, since the server keeps its control channel and bell there.
    os.dup2(birth.log, 1)
    os.dup2(birth.log, 2)
    os.dup2(birth.result, _RESULT, inheritable=False)
    for fd in {birth.result, birth.log, *birth.close} - {_RESULT}:
        os.close(fd)


def _execute(run: Run, group: TrialGroup) -> bytes:
    try:
        returned = run(group)
        payload = pack_plain(returned) or pack_outputs(checked(returned, group))
    except BaseException as error:
        kind, cause = _explain(error, group)
    else:
        return payload
    return pack_ending(kind, cause)


def _explain(error: BaseException, group: TrialGroup) -> tuple[OutcomeKind, str]:
    if isinstance(error, MemoryError):
        release_reserve()
        traceback.clear_frames(error.__traceback__)
    kind, cause = classify(error, group.limits)
    if kind is OutcomeKind.CRASHED:
        program_frames = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, program_frames)
    return kind, cause[: MAX_HEADER_BYTES // 16]


def _write(payload: bytes) -> None:
    rest = memoryview(payload)
    while rest:
        rest = rest[os.write(_RESULT, rest) :]

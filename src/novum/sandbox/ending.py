"""What an exit status, the last words and the artefacts say of a job that ended by itself."""

from __future__ import annotations

import signal

from novum.core.model.trial import OutcomeKind
from novum.sandbox.collect import Harvest
from novum.sandbox.job import Bounds, Verdict
from novum.sandbox.limits.limit_words import kind_of, limit_behind, limit_words

_CAUSE_CHARACTERS = 400
_BY_SIGNAL = {signal.SIGXFSZ: "file_bytes", signal.SIGXCPU: "cpu_seconds"}


def ending_of(status: int, stderr: str, bounds: Bounds, cpu_seconds: float, harvest: Harvest) -> Verdict | None:
    """Judge an ending; None where the program ended with status 0 and left every artefact in order.

    `cpu_seconds`: what was measured of the whole job.
    """
    if harvest.tampered:
        return Verdict(OutcomeKind.TAMPERED, "; ".join(harvest.tampered))
    if status == 0:
        wrong = "; ".join(f"the artefact {name} is {why}" for name, why in harvest.refused.items())
        return Verdict(OutcomeKind.INVALID, wrong) if wrong else None
    last = stderr.rstrip().rpartition("\n")[2][:_CAUSE_CHARACTERS]
    limit = _limit(status, stderr, bounds, cpu_seconds)
    how = f"killed by {_name(-status)}" if status < 0 else f"exit status {status}"
    said = f": {last}" if last and status > 0 else ""
    if -status == signal.SIGBUS:
        how += f", as when a mapped file finds no room in {bounds.disk_bytes} bytes"
    if not limit:
        return Verdict(OutcomeKind.CRASHED, how + said)
    values = {name: getattr(bounds, name) for name in ("file_bytes", "disk_bytes", "processes", "memory_bytes")}
    words = limit_words(limit, {**values, "cpu_seconds": bounds.cpu_seconds})
    if -status in (signal.SIGXFSZ, signal.SIGXCPU, signal.SIGKILL):
        return Verdict(kind_of(limit), words, limit)
    return Verdict(kind_of(limit), f"{words} ({how}{said})", limit)


def _limit(status: int, stderr: str, bounds: Bounds, cpu_seconds: float) -> str:
    """A signal tells of a limit better than words do."""
    if status < 0 and -status in _BY_SIGNAL:
        return _BY_SIGNAL[signal.Signals(-status)]
    if -status == signal.SIGKILL:
        return "cpu_seconds" if cpu_seconds >= bounds.cpu_seconds else ""
    return limit_behind(stderr)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

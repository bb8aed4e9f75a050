"""What may come back from a trial program, checked the same way wherever it ran.

Covered: number, order and type of outputs, one artefact or one failure each, the failures a program may claim,
finite facts, text that is safe to print. Not covered: whether an artefact means anything (the arena's scorer decides).
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from novum.core.model.run_progress import POINTS, Curve
from novum.core.model.trial import Limits, OutcomeKind, TrialGroup, TrialOutput
from novum.sandbox.limits.limit_words import limit_in

CLAIMABLE = frozenset({OutcomeKind.DIVERGED, OutcomeKind.CRASHED, OutcomeKind.INVALID})
"""Failures that a trial program may report of itself."""
OBSERVABLE = CLAIMABLE | {OutcomeKind.TIMED_OUT, OutcomeKind.OUT_OF_MEMORY, OutcomeKind.LOST}
"""Failures that an executor elsewhere may report of a program that it has watched."""
MAX_ARTEFACT_BYTES = 64 << 20
MAX_CAUSE = 4000
MAX_FACTS = 64
TAIL_CHARACTERS = 2000

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_OUT_OF_MEMORY = re.compile(r"can(?:'|no)t allocate memory|out of memory|std::bad_alloc", re.IGNORECASE)
_ALLOWED_BY = {  # what a message names, for errors that are not typed
    "file_bytes": "limits.file_bytes allows more",
    "processes": "limits.processes allows more",
    "disk_bytes": "the disk it writes to is full",
    "open_files": "it has too many open files",
}


class NonsenseError(ValueError):
    """A trial program handed over something that is not what it promised; the message says what."""


def clean(text: str) -> str:
    """Strip terminal escapes, control characters and lone surrogates from `text`; line ends become newlines."""
    if text.isprintable():
        return text
    plain = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in plain if char.isprintable() or char in "\n\t")


def with_output(cause: str, output: str) -> str:
    """Return `cause`, followed by the end of what the program printed (2,000 characters), cleaned."""
    tail = clean(output)[-TAIL_CHARACTERS:].strip()
    return f"{clean(cause)[:MAX_CAUSE]}\n--- last output ---\n{tail}" if tail else clean(cause)[:MAX_CAUSE]


def failed(group: TrialGroup, kind: OutcomeKind, cause: str) -> tuple[TrialOutput, ...]:
    """Return the same failure for every trial of `group`."""
    return tuple(TrialOutput(trial.id, failure=kind, cause=cause) for trial in group.trials)


def classify(error: BaseException, limits: Limits) -> tuple[OutcomeKind, str]:
    """Say how a trial that raised `error` ended, and why in words."""
    cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, NonsenseError):
        return OutcomeKind.INVALID, str(error)
    number = error.errno if isinstance(error, OSError) else None
    exhausted = isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error)[:MAX_CAUSE])
    if isinstance(error, MemoryError) or number == errno.ENOMEM or exhausted:
        return OutcomeKind.OUT_OF_MEMORY, f"more than {limits.memory_bytes} bytes (limits.memory_bytes): {cause}"
    if number == errno.EFBIG:
        return OutcomeKind.CRASHED, f"wrote a file larger than {limits.file_bytes} bytes (limits.file_bytes): {cause}"
    if met := _ALLOWED_BY.get(limit_in(cause)):
        return OutcomeKind.CRASHED, f"{cause} ({met})"
    return OutcomeKind.CRASHED, cause


def checked(
    returned: object, group: TrialGroup, failures: frozenset[OutcomeKind] = CLAIMABLE
) -> tuple[TrialOutput, ...]:
    """Return `returned` as exactly one clean output per trial of `group`, in order. Raises NonsenseError."""
    if isinstance(returned, str | bytes) or not isinstance(returned, Sequence):
        raise NonsenseError(f"run() returned {type(returned).__name__}, not a sequence of outputs")
    if len(returned) != len(group.trials):
        raise NonsenseError(f"{len(returned)} outputs for {len(group.trials)} trials")
    pairs = zip(returned, group.trials, strict=True)
    outputs = tuple(_checked_one(output, trial.id, failures) for output, trial in pairs)
    if (size := sum(len(output.artefact or b"") for output in outputs)) > MAX_ARTEFACT_BYTES:
        raise NonsenseError(f"the artefacts take {size} bytes, the limit is {MAX_ARTEFACT_BYTES}")
    return outputs


def _checked_one(output: object, trial_id: str, failures: frozenset[OutcomeKind]) -> TrialOutput:
    if not isinstance(output, TrialOutput):
        raise NonsenseError(f"expected a TrialOutput for trial {trial_id}, got {type(output).__name__}")
    if output.trial_id != trial_id:
        raise NonsenseError(f"expected an output for trial {trial_id}, got {clean(str(output.trial_id))[:80]!r}")
    if (output.artefact is None) == (output.failure is None):
        raise NonsenseError(f"trial {trial_id} must have either an artefact or a failure")
    if output.artefact is not None and type(output.artefact) is not bytes:
        raise NonsenseError(f"the artefact of trial {trial_id} is {type(output.artefact).__name__}, not bytes")
    if output.failure is not None and output.failure not in failures:
        raise NonsenseError(f"trial {trial_id} claims {clean(str(output.failure))[:80]!r}, which it cannot know")
    return TrialOutput(
        trial_id=trial_id,
        artefact=output.artefact,
        failure=None if output.failure is None else OutcomeKind(output.failure),
        cause=clean(str(output.cause)[:MAX_CAUSE]),
        facts=_checked_facts(output.facts, trial_id),
        curve=_checked_curve(output.curve, trial_id),
        remarks=clean(str(output.remarks)[:MAX_CAUSE]),
        resumed=_checked_times(output.resumed, trial_id),
    )


def _checked_times(times: object, trial_id: str) -> tuple[float, float]:
    """Negative ones would make a candidate cheaper than it is."""
    if isinstance(times, str | bytes) or not isinstance(times, Sequence) or len(times) != 2:
        raise NonsenseError(f"what trial {trial_id} goes on from is not a pair of CPU and wall seconds")
    cpu, wall = (_checked_number(one, trial_id) for one in times)
    if cpu < 0.0 or wall < 0.0:
        raise NonsenseError(f"trial {trial_id} goes on from a time below zero")
    return cpu, wall


def _checked_curve(curve: object, trial_id: str) -> Curve:
    if isinstance(curve, str | bytes) or not isinstance(curve, Sequence) or len(curve) > POINTS:
        raise NonsenseError(f"the curve of trial {trial_id} is not a sequence of at most {POINTS} readings")
    return tuple(_checked_reading(one, trial_id) for one in curve)


def _checked_reading(reading: object, trial_id: str) -> tuple[float, float]:
    if isinstance(reading, str | bytes) or not isinstance(reading, Sequence) or len(reading) != 2:
        raise NonsenseError(f"a reading of trial {trial_id} is not a time and a value")
    return _checked_number(reading[0], trial_id), _checked_number(reading[1], trial_id)


def _checked_facts(facts: object, trial_id: str) -> Mapping[str, float]:
    if not isinstance(facts, Mapping) or len(facts) > MAX_FACTS:
        raise NonsenseError(f"the facts of trial {trial_id} are not a mapping of at most {MAX_FACTS} numbers")
    return {_checked_name(name, trial_id): _checked_number(value, trial_id) for name, value in facts.items()}


def _checked_name(name: object, trial_id: str) -> str:
    if not isinstance(name, str) or not name.isprintable() or len(name) > 100:
        raise NonsenseError(f"a fact of trial {trial_id} has a name that is not a short printable string")
    return name


def _checked_number(value: Any, trial_id: str) -> float:
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise NonsenseError(f"a fact of trial {trial_id}, a reading of its curve or a time is not a finite number")
    return number

"""Metrics: what a score is made of, when one cannot stand as a number, and the gain of one over another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

CPU_SECONDS, PEAK_BYTES = "cpu_seconds", "peak_bytes"
COMPUTE = "compute"


@dataclass(frozen=True, slots=True)
class Metric:
    """A measurement beside the arena's own metric: from the artefact, or of the run itself (see RESOURCES).

    `resolution`: floor of its noise scale, on the log scale when `log` (then values are positive).
    """

    name: str
    higher_is_better: bool
    resolution: float
    log: bool = False


RESOURCES: Mapping[str, Metric] = {
    CPU_SECONDS: Metric(CPU_SECONDS, False, 0.01, log=True),
    PEAK_BYTES: Metric(PEAK_BYTES, False, 0.01, log=True),
    COMPUTE: Metric(COMPUTE, False, 0.01, log=True),
}
"""What the parent of a trial group measures; trials of one group share one measurement.

Compute is CPU seconds or, where trials hold GPUs, GPU seconds: wall seconds times the GPUs held. A guardrail on
`cpu_seconds` is a test with an error bound, which takes pairs of its own; one on `compute` holds the measured mean of
the confirmation's pairs to the margin and says it.
"""


def compute_name(gpus: int) -> str:
    """What compute is where a trial group holds so many GPUs."""
    return "GPU time" if gpus else "CPU time"


FREE = 1e9
"""The margin of a guardrail on `compute` that is there to be told, not to hold anything back."""


def is_free(margin: float) -> bool:
    """Whether a guardrail on `compute` with this margin (a factor) only measures."""
    return margin >= FREE / 2


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer says of one artefact: the arena's metric, and the spec's further metrics by name."""

    value: float
    others: Mapping[str, float] = field(default_factory=dict)
    remarks: str = ""
    """What the scorer has to say to whoever proposes next; no score rests on it."""


def gain(candidate: float, incumbent: float, *, higher_is_better: bool, log: bool) -> float:
    """Improvement of one score over another in metric units, or in natural-log units when `log` (scores positive)."""
    difference = math.log(candidate / incumbent) if log else candidate - incumbent
    return difference if higher_is_better else -difference

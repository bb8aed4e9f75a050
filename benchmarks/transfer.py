"""Do small runs predict larger ones, and the loss on bytes: rank correlations over published mixers.

    python benchmarks/transfer.py --json

Each mixer, in one layer, is trained on three problems: recall at width 32 and some 64 tokens, the same tasks at width
64 and some 128 tokens, and the bytes of the standard library. It is swept over the arena's learning rates on a seed of
its own each time, then trained at its best rate on fresh seeds. Correlations are Kendall's tau-b between means; their
90 % intervals come from a bootstrap over mixers and over the seeds of each. A mixer that diverges counts as guessing.
"""

# ruff: noqa: N803 -- names of tensors end in their shapes
from __future__ import annotations

import argparse
import json
import math
import os
import sys
from dataclasses import asdict, dataclass, replace
from itertools import combinations

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from architectures import Design, Measured, measure
from scipy.stats import kendalltau, spearmanr

MIXERS = ("attention", "attention-rotary", "linear", "retnet", "mamba2", "delta", "gated-delta", "conv")
SMALL, LARGE, BYTES = "small", "larger", "bytes"
PROBLEMS = {
    SMALL: Design(
        SMALL,
        {},
        "mqar(length=64, keys=8, vocabulary=64) + overwrite(keys=8, writes=3, asked=8, vocabulary=64)",
        250,
    ),
    LARGE: Design(
        LARGE,
        {},
        "mqar(length=128, keys=16, vocabulary=64) + overwrite(keys=16, writes=3, asked=16, vocabulary=64)",
        250,
        width=64,
        batch=8,
    ),
    BYTES: Design(BYTES, {}, "stdlib_bytes(length=64)", 250, metric="loss"),
}
"""Genome and name are each mixer's."""
RESAMPLES = 1000


@dataclass(frozen=True)
class Correlation:
    """Of the order of mixers on two problems, better first on both."""

    one: str
    other: str
    tau: float | None
    low: float | None
    high: float | None
    spearman: float | None


def correlation(one: list[Measured], other: list[Measured], signs: tuple[int, int]) -> Correlation:
    """signs: -1 for a problem on which less is better."""
    rng = np.random.default_rng(0)
    tables = [sign * np.array([each.scores for each in table]) for sign, table in zip(signs, (one, other), strict=True)]
    found = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(one), len(one))
        means = [_resampled(rng, table[rows]) for table in tables]
        tau = float(kendalltau(*means).statistic)
        if math.isfinite(tau):
            found.append(tau)
    low, high = np.quantile(found, (0.05, 0.95)) if found else (math.nan, math.nan)
    means = [table.mean(1) for table in tables]
    names = [table[0].design.split(", ")[1] for table in (one, other)]
    tau, rho = float(kendalltau(*means).statistic), float(spearmanr(*means).statistic)
    return Correlation(names[0], names[1], _told(tau), _told(float(low)), _told(float(high)), _told(rho))


def _resampled(rng: np.random.Generator, table_MxS: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Means over seeds drawn anew for each mixer, [M]."""
    at = rng.integers(0, table_MxS.shape[1], table_MxS.shape)
    return np.take_along_axis(table_MxS, at, axis=1).mean(1)


def _told(number: float) -> float | None:
    return round(number, 4) if math.isfinite(number) else None


def main() -> None:
    """Print the means and the correlations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="fresh ones per mixer and problem")
    parser.add_argument("--steps", type=int, default=0, help="instead of each problem's own")
    parser.add_argument("--mixers", default=",".join(MIXERS))
    parser.add_argument("--problems", default=",".join(PROBLEMS), help="two of them at least")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    measured: dict[str, list[Measured]] = {}
    for problem in given.problems.split(","):
        made = PROBLEMS[problem]
        for mixer in given.mixers.split(","):
            one = replace(made, name=f"{mixer}, {problem}", genome={"layer_1": mixer}, steps=given.steps or made.steps)
            found = measure(one, given.seeds, sweep=(900_001,))
            measured.setdefault(problem, []).append(found)
            words = f"{found.design:30s} {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}] at rate {found.rate:g}"
            print(f"{words}, {found.cpu_seconds:.0f} CPU s", file=sys.stderr, flush=True)
    pairs = [
        correlation(measured[one], measured[other], (-1 if one == BYTES else 1, -1 if other == BYTES else 1))
        for one, other in combinations(measured, 2)
    ]
    if given.json:
        runs = [asdict(each) for table in measured.values() for each in table]
        print(json.dumps({"measured": runs, "correlations": [asdict(one) for one in pairs]}, indent=1))
        return
    for one in pairs:
        print(f"{one.one} and {one.other}: tau {one.tau} [{one.low}, {one.high}], Spearman {one.spearman}")


if __name__ == "__main__":
    main()

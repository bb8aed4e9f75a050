"""Linear mixers alone and beside one layer of attention: does the order of the ones predict that of the others.

    python benchmarks/hybrids.py --json

Stacks of four layers on MQAR, published mixers in all four places or with attention in one of them. Each design is
swept over the arena's learning rates on a seed of its own, then trained at its best rate on fresh seeds, which all
designs share. Intervals are at 90 %: of paired differences by Student, of everything else by a bootstrap over seeds
(and, where other mixers are meant, over mixers too). arXiv 2507.06457 reports that the linear models that are better
alone are not those that are better in hybrids.
"""

# ruff: noqa: N803 -- names of tensors end in their shapes
from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import asdict

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from architectures import Design, Measured, measure
from intervals import interval
from scipy.stats import kendalltau

Floats = npt.NDArray[np.float64]

MIXERS = ("linear", "mamba2", "delta", "gated-delta")
LAYERS = 4
TASK = "mqar(length=32, keys=6, vocabulary=32)"
RESAMPLES = 1000


def design(mixer: str, place: int, steps: int) -> Design:
    """`mixer` in all layers but `place` (from 1), where attention stands; 0: in all layers."""
    genes = {f"layer_{at}": "attention" if at == place else mixer for at in range(1, LAYERS + 1)}
    name = f"{mixer}, attention in layer {place}" if place else f"{mixer} alone"
    return Design(name, {**genes, "d_key": 8}, TASK, steps, width=16, layers=LAYERS)


def correlation(one: Floats, other: Floats) -> float:
    """Kendall's tau-b; nan where either has no order."""
    found = kendalltau(one, other).statistic
    return float(found)


def bootstrapped(
    value: Callable[[Floats, Floats], float], alone_MxS: Floats, hybrid_MxPxS: Floats, mixers: bool
) -> dict[str, float]:
    """A function of both tables of means over seeds, with an interval by resampling seeds, and mixers if asked."""
    rng = np.random.default_rng(0)
    count, seeds = alone_MxS.shape
    found = []
    for _ in range(RESAMPLES):
        at = rng.integers(0, seeds, seeds)
        rows = rng.integers(0, count, count) if mixers else np.arange(count)
        one = value(alone_MxS[rows][:, at].mean(-1), hybrid_MxPxS[rows][..., at].mean(-1))
        if math.isfinite(one):
            found.append(one)
    low, high = np.quantile(found, (0.05, 0.95)) if found else (math.nan, math.nan)
    whole = value(alone_MxS.mean(-1), hybrid_MxPxS.mean(-1))
    return {"value": _told(whole), "low": _told(float(low)), "high": _told(float(high))}


def _told(number: float) -> float | None:
    return round(number, 4) if math.isfinite(number) else None


def place_less_mixer(alone_M: Floats, hybrid_MxP: Floats) -> float:
    """Sd of the means of places less that of the means of mixers, each with one less than its number."""
    del alone_M
    return float(hybrid_MxP.mean(0).std(ddof=1) - hybrid_MxP.mean(1).std(ddof=1))


def paired(after: Measured, before: Measured) -> dict[str, float]:
    """Mean difference on equal seeds, with Student's interval."""
    gains = [a - b for a, b in zip(after.scores, before.scores, strict=True)]
    low, high = interval(gains)
    return {"value": _told(sum(gains) / len(gains)), "low": _told(low), "high": _told(high)}


def conclusions(mixers: list[str], measured: dict[tuple[str, int], Measured]) -> dict[str, object]:
    """What the runs say of both claims."""
    alone = np.array([measured[mixer, 0].scores for mixer in mixers])
    hybrid = np.array([[measured[mixer, place].scores for place in range(1, LAYERS + 1)] for mixer in mixers])
    best = int(hybrid.mean((0, 2)).argmax())
    attention = measured["attention", 0]
    pairs = []
    for index, one in enumerate(mixers):
        for other in mixers[index + 1 :]:
            gaps = {
                "alone": paired(measured[one, 0], measured[other, 0]),
                "hybrid": paired(measured[one, best + 1], measured[other, best + 1]),
            }
            pairs.append({"one": one, "other": other, **gaps})
    known = [one for one in pairs if _decided(one["alone"]) and _decided(one["hybrid"])]
    return {
        "best place": best + 1,
        "order of these mixers (tau)": bootstrapped(
            lambda a, h: correlation(a, h.mean(1)), alone, hybrid, mixers=False
        ),
        "order of such mixers (tau)": bootstrapped(lambda a, h: correlation(a, h.mean(1)), alone, hybrid, mixers=True),
        "pairs": pairs,
        "pairs decided both ways": len(known),
        "of them in the same order": sum(_decided(one["alone"]) == _decided(one["hybrid"]) for one in known),
        "attention restores": {mixer: paired(measured[mixer, best + 1], measured[mixer, 0]) for mixer in mixers},
        "below attention alone": {mixer: paired(measured[mixer, best + 1], attention) for mixer in mixers},
        "sd of places less sd of mixers": bootstrapped(place_less_mixer, alone, hybrid, mixers=False),
        "mean by place": [_told(float(one)) for one in hybrid.mean((0, 2))],
        "mean by mixer": {mixer: _told(float(one)) for mixer, one in zip(mixers, hybrid.mean((1, 2)), strict=True)},
    }


def _decided(gap: dict[str, float]) -> int:
    """The sign of a difference whose interval leaves out zero; else 0."""
    return int(gap["low"] > 0) - int(gap["high"] < 0)


def main() -> None:
    """Print what was measured and what follows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="fresh ones per design")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--mixers", default=",".join(MIXERS))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    mixers = given.mixers.split(",")
    wanted = [("attention", 0), *((mixer, place) for mixer in mixers for place in range(LAYERS + 1))]
    measured: dict[tuple[str, int], Measured] = {}
    for mixer, place in wanted:
        found = measured[mixer, place] = measure(
            design(mixer, place, given.steps), max(2, given.seeds), sweep=(900_001,)
        )
        words = f"{found.design:34s} {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}] at rate {found.rate:g}"
        print(f"{words}, {found.cpu_seconds:.0f} CPU s", file=sys.stderr, flush=True)
    said = conclusions(mixers, measured)
    if given.json:
        print(json.dumps({"measured": [asdict(one) for one in measured.values()], "conclusions": said}, indent=1))
        return
    for name, value in said.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()

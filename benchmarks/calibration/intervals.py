"""Intervals of findings over whole campaigns: false coverage among the selected, width, agreement with verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from calibration.noise import Floats
from calibration.vector_gate import Purse, Scale, confirm
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair
from novum.gate import power
from novum.gate.judge import BettingGate
from novum.gate.selective_interval import balanced

Rng = np.random.Generator
TRUE = 0.3
EFFECTS = (0.5, 1.0, 2.0)
CAMPAIGNS_AT_ONCE = 25
HYPOTHESES = 100


@dataclass(frozen=True)
class Noise:
    """A law of differences: sd about 1 and location 0 in the sense of the claim."""

    name: str
    law: Callable[[Rng, tuple[int, ...], Floats], Floats]
    """(rng, shape, true gain) -> D; the gain moves the location but for binary scores, where it moves a chance."""


def _moved(law: Callable[[Rng, tuple[int, ...]], Floats]) -> Callable[[Rng, tuple[int, ...], Floats], Floats]:
    return lambda rng, shape, gain: gain + law(rng, shape)


def _binary(rng: Rng, shape: tuple[int, ...], gain: Floats) -> Floats:
    """Right or wrong, each with chance .5 for the incumbent; sd of the difference .71, in units of that."""
    unit = math.sqrt(0.5)
    mine = rng.random(shape) < np.minimum(0.98, 0.5 + unit * gain / 2)
    return (mine.astype(float) - (rng.random(shape) < 0.5)) / unit


def _left(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return 1.0 - rng.exponential(1.0, shape)


NOISES = (
    Noise("normal", _moved(lambda rng, shape: rng.standard_normal(shape))),
    Noise("t3", _moved(lambda rng, shape: rng.standard_t(3, shape) / math.sqrt(3))),
    Noise("left exponential", _moved(_left)),
    Noise("right exponential", _moved(lambda rng, shape: -_left(rng, shape))),
    Noise("binary", _binary),
)


def rows(findings: int, seed: int, said: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """One row for each noise and way of making intervals, over at least `findings` findings of running campaigns."""
    for number, noise in enumerate(NOISES):
        said(f"intervals: {noise.name}")
        rng = np.random.default_rng([seed, 76, number])
        seen: list[tuple[ConfirmationOpened, list[float], int, float, float]] = []
        while len(seen) < findings:
            seen += _campaigns(noise, rng)
        truths = {effect: _location(noise, effect, rng) for effect in {one[4] for one in seen}}
        for way in ("selective", "sequence"):
            yield {"noise": noise.name, "interval": way, "findings": len(seen)} | _figures(seen, truths, way)


def _campaigns(noise: Noise, rng: Rng) -> list[tuple[ConfirmationOpened, list[float], int, float, float]]:
    """Findings of a few campaigns: rule, all differences, how many the verdict used, its threshold, the true gain."""
    settings = GateSettings(planned=20, refute_pairs=0)
    purse, size = Purse(settings, CAMPAIGNS_AT_ONCE), CAMPAIGNS_AT_ONCE
    zero = np.zeros(size)
    sigma = np.std(noise.law(rng, (settings.calibration_pairs, size), zero), axis=0, ddof=1)
    found = []
    for _ in range(HYPOTHESES):
        gain = np.where(rng.random(size) < TRUE, rng.choice(EFFECTS, size), 0.0)
        most = settings.max_pairs + settings.estimate_pairs
        drawn = noise.law(rng, (most, size), gain)
        stake = purse.open()
        ends = confirm(settings, lambda n, who, drawn=drawn: (drawn[n, who], None), Scale.of(sigma), purse.bar(stake))
        for k in np.nonzero(purse.close(stake, ends))[0]:
            rule = _rule(settings, float(sigma[k]))
            last = int(ends.pairs[k]) + settings.estimate_pairs
            found.append((rule, drawn[:last, k].tolist(), int(ends.pairs[k]), float(ends.bar[k]), float(gain[k])))
    return found


def _rule(settings: GateSettings, sigma: float) -> ConfirmationOpened:
    unit = power.unit_rule(settings, 200.0, settings.max_pairs)
    return replace(unit, sigma=sigma, scale=settings.clip * sigma, interval="selective")


def _location(noise: Noise, effect: float, rng: Rng) -> float:
    """What a typical gain is for this noise: where differences clipped at 2 sd balance (the mean, if symmetric)."""
    drawn = noise.law(rng, (20_001,), np.full(20_001, effect))
    return balanced(drawn.tolist(), 2.0)


def _figures(
    seen: list[tuple[ConfirmationOpened, list[float], int, float, float]], truths: dict[float, float], way: str
) -> dict[str, Any]:
    gate = BettingGate(GateSettings())
    missed, widths, zero, outside, none = 0, [], 0, 0, 0
    for rule, gains, judged, bar, effect in seen:
        pairs = [Pair(gain, 0.0) for gain in gains]
        size = gate.size(replace(rule, interval="selective" if way == "selective" else "sequence"), pairs, judged, bar)
        if size.interval is None or size.effect is None:
            none += 1
            continue
        low, high = size.interval
        missed += not low <= truths[effect] <= high
        widths.append(high - low)
        zero += low <= 0.0
        outside += not low <= size.effect <= high
    n = max(1, len(widths))
    return {
        "false_coverage": round(missed / n, 4),
        "error": round(math.sqrt(missed / n * (1 - missed / n) / n), 4),
        "median_width": round(float(np.median(widths)), 3) if widths else None,
        "contains_zero": round(zero / n, 4),
        "effect_outside": outside,
        "without_interval": none,
    }

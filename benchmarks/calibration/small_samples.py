"""The test without a block of baseline runs beside the shipped one: its power, and the worlds it cannot bear."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from calibration.noise import Floats
from calibration.vector_gate import SUPPORTED, Race, Scale
from novum.core.model.study import GateSettings

Rng = np.random.Generator
LOOKS = (5, 8, 12, 20, 30)
POWER = ((20.0, 1.0), (20.0, 2.0), (50.0, 1.0), (100.0, 1.0), (100.0, 2.0))
RULES = {
    "shipped, sigma known": ("betting", 0),
    "shipped, sigma from 3 runs": ("betting", 3),
    "scale-free": ("scale-free", 3),
}


def _grows(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return rng.standard_normal(shape) * np.linspace(1.0, 10.0, shape[0])[:, None]


def _correlated(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """AR(1) with coefficient .3 and sd 1."""
    drawn = rng.standard_normal(shape)
    for n in range(1, shape[0]):
        drawn[n] = 0.3 * drawn[n - 1] + math.sqrt(1 - 0.09) * drawn[n]
    return drawn


def _losing(size: float) -> Callable[[Rng, tuple[int, ...]], Floats]:
    def draw(rng: Rng, shape: tuple[int, ...]) -> Floats:
        usual = 0.05 * size / 0.95 + rng.standard_normal(shape)
        return np.where(rng.random(shape) < 0.05, -size, usual)

    return draw


NULLS: dict[str, Callable[[Rng, tuple[int, ...]], Floats]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "t3": lambda rng, shape: rng.standard_t(3, shape) / math.sqrt(3),
    "t2": lambda rng, shape: rng.standard_t(2, shape),
    "ties": lambda rng, shape: np.round(rng.standard_normal(shape) * 2) / 2,
    "candidate's noise 3x": lambda rng, shape: 3 * rng.standard_normal(shape),
    "sigma grows tenfold": _grows,
    "right exponential": lambda rng, shape: rng.exponential(1.0, shape) - 1.0,
    "left exponential": lambda rng, shape: 1.0 - rng.exponential(1.0, shape),
    "AR(1) .3": _correlated,
    "loss of 6 sd in 5 %": _losing(6.0),
    "loss of 10 sd in 5 %": _losing(10.0),
}


def power_rows(repeats: int, seed: int, said: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """P(support within n pairs) of Gaussian gains against a fixed threshold, for each rule; no floor on losses."""
    for number, (bar, effect) in enumerate(POWER):
        for name in RULES:
            said(f"T = {bar:g}, {effect:g} sd: {name}")
            rng = np.random.default_rng([seed, 74, number])
            gains = effect + rng.standard_normal((LOOKS[-1], repeats))
            yield {"rule": name, "threshold": bar, "effect": effect} | _within(name, gains, bar, rng)


def null_rows(repeats: int, seed: int, said: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """P(support within 30 pairs) where the mean is zero, at nominal .05 and .01."""
    for number, (world, law) in enumerate(NULLS.items()):
        said(f"{world}: scale-free")
        rng = np.random.default_rng([seed, 75, number])
        gains = law(rng, (LOOKS[-1], repeats))
        row: dict[str, Any] = {"world": world}
        for name in ("scale-free", "shipped, sigma known"):
            for bar in (20.0, 100.0):
                key = f"{'free' if name == 'scale-free' else 'shipped'}_{1 / bar:g}"
                row[key] = _within(name, gains, bar, rng)[f"within_{LOOKS[-1]}"]
        yield row


def _within(name: str, gains: Floats, bar: float, rng: Rng) -> dict[str, float]:
    process, runs = RULES[name]
    size = gains.shape[1]
    sigma = np.ones(size)
    if runs:
        sigma = math.sqrt(2) * np.std(math.sqrt(0.5) * rng.standard_normal((runs, size)), axis=0, ddof=1)
    shipped = GateSettings(max_pairs=LOOKS[-1], refute_pairs=0, floor=0.0, optimism=100.0)
    settings = replace(shipped, process="scale-free" if process == "scale-free" else "betting")
    race, bars = Race(settings, Scale.of(sigma), np.full(size, bar)), np.full(size, bar)
    while race.active.size:
        race.step(gains[race.n, race.active], None, bars)
    supported = race.verdict == SUPPORTED
    found = {f"within_{n}": round(float((supported & (race.pairs <= n)).mean()), 4) for n in LOOKS}
    return found | {"median": float(np.median(race.pairs[supported])) if supported.any() else 0.0}

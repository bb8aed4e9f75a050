"""Worlds in which candidates gamble: they gain a little nearly always and lose much rarely.

Every hypothesis of a null campaign is such a candidate; its mean gain is zero or negative, so that every finding is
false for a claim of the mean. A claim of the typical gain says less, and the share of its findings whose mean is not
positive is told beside it. Unit: one sd of a difference of two runs of the incumbent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from calibration.noise import Floats
from calibration.stream import EFFECTS, Integers
from calibration.vector_gate import SUPPORTED, Purse, Race, Scale, confirm
from novum.core.model.study import GateSettings
from novum.core.state.spread import FAR_LARGER, PRIOR_RUNS

Rng = np.random.Generator
Law = Callable[[Rng, tuple[int, ...]], Floats]
SCREENING_RUNS = 3
CAMPAIGNS_AT_ONCE = 500


@dataclass(frozen=True)
class World:
    """A law of D. mean: of D; bound: the largest loss that counts in full for a claim of the mean; quiet: no noise."""

    name: str
    law: Law
    bound: float
    mean: float = 0.0
    quiet: bool = False
    note: str = ""


def _exponential(scale: float) -> Law:
    return lambda rng, shape: scale * (1.0 - rng.exponential(1.0, shape))


def _loses(size: float, share: float, mean: float = 0.0) -> Law:
    """A loss of `size` in a share of runs, else a Gaussian of sd 1 around what makes the mean `mean`."""

    def draw(rng: Rng, shape: tuple[int, ...]) -> Floats:
        usual = (mean + share * size) / (1.0 - share) + rng.standard_normal(shape)
        return np.where(rng.random(shape) < share, -size, usual)

    return draw


def _two_points(gain: float, loss: float, share: float) -> Law:
    return lambda rng, shape: np.where(rng.random(shape) < share, -loss, gain)


def _log_ratio(own: float, other: float) -> Law:
    """Log ratio of two log-normal losses of equal mean, the candidate's more variable."""

    def draw(rng: Rng, shape: tuple[int, ...]) -> Floats:
        mine = own * rng.standard_normal(shape) - own * own / 2
        return other * rng.standard_normal(shape) - other * other / 2 - mine

    return draw


_LOG = (0.75, 0.4)
WORLDS = (
    World("left exponential, sd 1", _exponential(1.0), 8.0),
    World("left exponential, 3 x the A/A sd", _exponential(3.0), 20.0),
    World("loss of 6 sd in 5 %", _loses(6.0, 0.05), 6.0),
    World("loss of 10 sd in 5 %", _loses(10.0, 0.05), 10.0),
    World("loss of 20 sd in 2 %", _loses(20.0, 0.02), 20.0),
    World("loss of 50 sd in 1 %", _loses(50.0, 0.01), 50.0),
    World("loss of 3.9 sd in 10 %", _loses(3.9, 0.10), 5.0),
    World("loss of 10 sd in 10 %, mean -.2", _loses(10.0, 0.10, -0.2), 10.0, -0.2),
    World("no noise: +.01 in 90 %, -.09 in 10 %", _two_points(0.01, 0.09, 0.1), 0.09, quiet=True),
    World("no noise: +.01 in 99 %, -1 in 1 %", _two_points(0.01, 0.99, 0.01), 1.0, quiet=True),
    World("crash noise: loss of 6 sd in 5 %, mean -.1", _loses(6.0, 0.05, -0.1), 6.0, -0.1),
    World(
        "log ratio of losses of equal mean",
        _log_ratio(*_LOG),
        8.0,
        (_LOG[0] ** 2 - _LOG[1] ** 2) / 2,
        note="better by the mean of logarithms, which is what a claim about ratios says",
    ),
)


def rows(campaigns: int, hypotheses: int, seed: int, said: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """One row for each world and claim."""
    for number, world in enumerate(WORLDS):
        for claim in ("typical", "mean"):
            said(f"{world.name}, claim of the {claim}")
            settings = _settings(world, claim, hypotheses)
            rng = np.random.default_rng([seed, 71, number, claim == "mean"])
            yield {"world": world.name, "claim": claim, "mean": world.mean, "note": world.note} | _figures(
                world, settings, campaigns, hypotheses, rng
            )


def _settings(world: World, claim: str, hypotheses: int) -> GateSettings:
    shipped = GateSettings(planned=hypotheses, stake_floor=20, refute_pairs=0)
    return replace(shipped, claim=claim, loss_bound=world.bound if claim == "mean" else None)


def _figures(world: World, settings: GateSettings, campaigns: int, hypotheses: int, rng: Rng) -> dict[str, Any]:
    any_false, mixed_false, mixed_true, loss = [], [], [], []
    for first in range(0, campaigns, CAMPAIGNS_AT_ONCE):
        size = min(CAMPAIGNS_AT_ONCE, campaigns - first)
        found, _, sides = _campaigns(world, settings, size, hypotheses, 0.0, rng)
        any_false.append(found.any(axis=0))
        loss.append(sides)
        found, real, _ = _campaigns(world, settings, size, hypotheses, 0.2, rng)
        mixed_false.append((found & ~real).sum(axis=0))
        mixed_true.append((found & real).sum(axis=0))
    wrong, true = np.concatenate(mixed_false), np.concatenate(mixed_true)
    share = np.concatenate(any_false).mean()
    clipped, real_mean = _locations(world, settings, rng)
    one_sd, two_sd = _power(world, settings, rng)
    false_claim = real_mean <= 1e-9 if settings.claim == "mean" else clipped <= 1e-9
    return {
        "clipped_mean": round(clipped, 4),
        "loss_side": round(float(np.median(np.concatenate(loss))), 2),
        "any_not_positive": round(float(share), 4),
        "error": round(math.sqrt(share * (1 - share) / campaigns), 4),
        "claim_is_false": bool(false_claim),
        "any_false": round(float(share), 4) if false_claim else 0.0,
        "mixed_not_positive_share": round(float((wrong / np.maximum(1, wrong + true)).mean()), 4),
        "power_1": round(one_sd, 3),
        "power_2": round(two_sd, 3),
    }


def scale(world: World | None, settings: GateSettings, sigma: Floats, runs: Floats) -> Scale:
    """What a lab measures a candidate in: novum.core.engine.preregistration.units_of, from screening runs.

    runs: of the candidate, over the level of the incumbent; axes: run, campaign. sigma: the incumbent's A/A sd.
    """
    half = sigma * sigma / 2
    squares = ((runs - runs.mean(axis=0)) ** 2).sum(axis=0)
    own = (PRIOR_RUNS * half + squares) / (PRIOR_RUNS + len(runs) - 1)
    both = np.maximum(sigma, np.sqrt(own + half))
    if world is not None and world.quiet:
        both = np.maximum(both, np.abs(runs.mean(axis=0)) / settings.clip)
        both = np.where(both > 0, both, 1e-3)
    c = settings.clip * both
    if settings.claim == "mean":
        return Scale(both, np.maximum(1.0, (settings.loss_bound or 0.0) / c))
    noisy = sigma > 0
    return Scale(both, np.where(noisy & (both > FAR_LARGER * sigma), FAR_LARGER, 1.0))


def _campaigns(
    world: World, settings: GateSettings, size: int, hypotheses: int, share: float, rng: Rng
) -> tuple[Any, Any, Floats]:
    """Accepted, truly better, and the loss sides. Axes: hypothesis, campaign. True candidates have Gaussian noise."""
    purse, everyone = Purse(settings, size), np.arange(size)
    sigma = np.zeros(size) if world.quiet else np.std(rng.standard_normal((10, size)), axis=0, ddof=1)
    unit = 0.02 if world.quiet else 1.0
    accepted, better, sides = np.zeros((hypotheses, size), bool), np.zeros((hypotheses, size), bool), []
    for j in range(hypotheses):
        real = rng.random(size) < share
        effect = unit * np.take(EFFECTS, rng.integers(len(EFFECTS), size=size))

        def draw(shape: tuple[int, ...], who: Integers, real: Any = real, effect: Floats = effect) -> Floats:
            honest = effect[who] + (0.0 if world.quiet else rng.standard_normal(shape))
            return np.where(real[who], honest, world.law(rng, shape))

        runs = draw((SCREENING_RUNS, size), everyone)
        if world.quiet is False:
            runs = np.where(real, effect + math.sqrt(0.5) * rng.standard_normal(runs.shape), runs)
        scales = scale(world, settings, sigma, runs)
        stake = purse.open()
        ends = confirm(settings, lambda _, who, draw=draw: (draw((who.size,), who), None), scales, purse.bar(stake))
        accepted[j], better[j] = purse.close(stake, ends), real
        sides.append(scales.loss)
    return accepted, better, np.concatenate(sides)


def _locations(world: World, settings: GateSettings, rng: Rng) -> tuple[float, float]:
    """Clipped mean and mean of the law at the usual scale (Monte Carlo, but for the mean)."""
    drawn = world.law(rng, (400_000,))
    c = settings.clip * (max(0.005, float(np.std(drawn)) / 2) if world.quiet else 1.0)
    return float(np.clip(drawn, -c, c).mean()), world.mean


def _power(world: World, settings: GateSettings, rng: Rng, repeats: int = 2000) -> tuple[float, float]:
    """P(support) of a Gaussian gain of 1 and 2 sd at the first threshold, with the loss side of the world."""
    found = []
    sigma = np.std(rng.standard_normal((10, repeats)), axis=0, ddof=1)
    bound = settings.loss_bound or 0.0
    unit = 0.01 if world.quiet else 1.0
    honest = replace(settings, loss_bound=bound / unit if bound else None)
    for effect in (1.0, 2.0):
        runs = effect + math.sqrt(0.5) * rng.standard_normal((SCREENING_RUNS, repeats))
        race = Race(honest, scale(None, honest, sigma, runs), np.full(repeats, 200.0))
        while race.active.size:
            race.step(effect + rng.standard_normal(race.active.size), None, np.full(repeats, 200.0))
        found.append(float((race.ends().verdict == SUPPORTED).mean()))
    return found[0], found[1]

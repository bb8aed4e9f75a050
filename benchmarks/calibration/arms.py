"""What k confirmations in lock-step cost that share the incumbent's runs, beside one after the other. Unit: trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from calibration.noise import Flags, Floats
from calibration.stream import EFFECTS, HARM
from calibration.vector_gate import SUPPORTED, Purse, Race, Scale
from novum.core.model.study import GateSettings
from novum.core.state.arm import BLOCK

Rng = np.random.Generator
ARMS = (1, 2, 4, 8)
SHARES = (0.0, 0.05, 0.20)
CAMPAIGNS_AT_ONCE = 500
_HALF = math.sqrt(0.5)


def rows(
    campaigns: int, hypotheses: int, seed: int, said: Callable[[str], None], arms: Sequence[int] = ARMS
) -> Iterator[dict[str, Any]]:
    """One row for each size of an arm and share of true effects. Gaussian noise, the gate as shipped."""
    settings = replace(GateSettings(), planned=hypotheses, stake_floor=20, refute_pairs=0)
    for arm in arms:
        for share in SHARES:
            said(f"{arm} in an arm, {share:.0%} true")
            rng = np.random.default_rng([seed, 72, arm, int(100 * share)])
            blocks = [
                _campaigns(settings, min(CAMPAIGNS_AT_ONCE, campaigns - first), hypotheses, arm, share, rng)
                for first in range(0, campaigns, CAMPAIGNS_AT_ONCE)
            ]
            yield {"arm": arm, "share": share} | _figures(
                *(np.concatenate(part, axis=-1) for part in zip(*blocks, strict=True))
            )


def _figures(accepted: Flags, effects: Floats, trials: Floats) -> dict[str, Any]:
    real = effects > 0
    wrong, right = (accepted & ~real).sum(axis=0), (accepted & real).sum(axis=0)
    n, false = wrong.size, wrong > 0
    one = effects == 1.0
    per = trials / max(1, right.sum())
    found = max(1, int(right.sum()))
    return {
        "any_false": round(float(false.mean()), 4),
        "error": round(math.sqrt(float(false.mean() * (1 - false.mean())) / n), 4),
        "fdr": round(float((wrong / np.maximum(1, wrong + right)).mean()), 4),
        "power_1": round(float((accepted & one).sum() / one.sum()), 4) if one.any() else None,
        "power_0.5": round(float((accepted & (effects == 0.5)).sum() / max(1, (effects == 0.5).sum())), 4),
        "trials_per_hypothesis": round(float(trials.mean() / len(effects)), 2),
        "trials_per_true_discovery": round(float(per.sum()), 1) if real.any() else None,
        "trials_error": round(float(trials.std(ddof=1)) * math.sqrt(n) / found, 1) if n > 1 and real.any() else None,
    }


def _campaigns(
    settings: GateSettings, size: int, hypotheses: int, arm: int, share: float, rng: Rng
) -> tuple[Flags, Floats, Floats]:
    """Accepted and true effect (axes: hypothesis, campaign), and trials by campaign."""
    purse = Purse(settings, size)
    sigma = np.std(rng.standard_normal((settings.calibration_pairs, size)), axis=0, ddof=1)
    rate = np.full(size, share)
    accepted, effects, trials = np.zeros((hypotheses, size), bool), np.zeros((hypotheses, size)), np.zeros(size)
    for first in range(0, hypotheses, arm):
        members = range(first, min(first + arm, hypotheses))
        for j in members:
            null = np.where(rng.random(size) < 0.5, HARM, 0.0) if share else 0.0
            effects[j] = np.where(rng.random(size) < rate, rng.choice(EFFECTS, size), null)
        stakes = [purse.open() for _ in members]
        races = [Race(settings, Scale.of(sigma), purse.bar(stake)) for stake in stakes]
        _lock_step(purse, races, stakes, [effects[j] for j in members], rng)
        longest = np.zeros(size)
        for j, race, stake in zip(members, races, stakes, strict=True):
            ends = race.ends()
            accepted[j] = ends.verdict == SUPPORTED
            trials += ends.pairs
            longest = np.maximum(longest, ends.pairs)
            refund = np.where(accepted[j], ends.e_value - ends.bar, ends.e_value)
            purse.cash = purse.cash + stake * np.minimum(1.0, refund)
            hinted = np.minimum(np.where(effects[j] > 0, 2.0, 0.5) * share, 1.0)
            rate = np.where(accepted[j], hinted, rate)
        trials += longest
    return accepted, effects, trials


def _lock_step(purse: Purse, races: list[Race], stakes: list[Floats], effects: list[Floats], rng: Rng) -> None:
    """All members pair by pair on the same seeds; thresholds move between blocks only."""
    size = purse.cash.size
    known = purse.discoveries.copy()
    open_races = list(range(len(races)))
    n = 0
    while open_races:
        if n % BLOCK == 0:
            known = purse.discoveries + sum((race.verdict == SUPPORTED) for race in races)
            bars = [purse.bar(stake, known) for stake in stakes]
        incumbent = _HALF * rng.standard_normal(size)
        for one in open_races:
            race = races[one]
            runs = effects[one][race.active] + _HALF * rng.standard_normal(race.active.size)
            race.step(runs - incumbent[race.active], None, bars[one])
        n += 1
        open_races = [one for one in open_races if races[one].active.size]
    purse.discoveries = purse.discoveries + sum((race.verdict == SUPPORTED) for race in races)

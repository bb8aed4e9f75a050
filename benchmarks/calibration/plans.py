"""Campaigns that can pay for a few confirmations only: power when the ledger is planned for them, and when not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from calibration.noise import Floats
from calibration.vector_gate import Purse, Scale, confirm
from novum.core.model.study import GateSettings

PLANNED = (2, 3, 5, 10)
TRUE = 0.3
PAIRS = (8, 30)
PROCESSES = ("betting", "scale-free")
SIZES = (1.0, 2.0)
_CALIBRATION = {"betting": 10, "scale-free": 3}


def rows(campaigns: int, seed: int, said: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """One row for each number of confirmations, process and number of pairs that each may take. Gaussian noise."""
    for planned in PLANNED:
        for process in PROCESSES:
            for pairs in PAIRS:
                said(f"{planned} confirmations of {pairs} pairs, {process}")
                row: dict[str, Any] = {"confirmations": planned, "process": process, "pairs": pairs}
                for effect in SIZES:
                    rng = np.random.default_rng([seed, 73, planned, PROCESSES.index(process), pairs, int(effect)])
                    row |= _figures(_settings(process, pairs), planned, campaigns, effect, rng)
                row["power_1_unplanned"] = _figures(
                    replace(_settings(process, pairs), planned=200),
                    planned,
                    campaigns,
                    1.0,
                    np.random.default_rng(seed),
                )["power_1"]
                yield row


def _settings(process: str, pairs: int) -> GateSettings:
    shipped = GateSettings(max_pairs=pairs, refute_pairs=0)
    return replace(shipped, process="scale-free" if process == "scale-free" else "betting")


def _figures(
    settings: GateSettings, planned: int, campaigns: int, effect: float, rng: np.random.Generator
) -> dict[str, float]:
    purse = Purse(settings, campaigns, planned)
    block = rng.standard_normal((_CALIBRATION[settings.process], campaigns))
    sigma = block.std(axis=0, ddof=1)
    right, wrong, real = np.zeros(campaigns), np.zeros(campaigns), np.zeros(campaigns)
    for _ in range(planned):
        true = rng.random(campaigns) < TRUE
        gain = np.where(true, effect, 0.0)

        def draw(_: int, who: Any, gain: Floats = gain) -> tuple[Floats, None]:
            return gain[who] + rng.standard_normal(who.size), None

        stake = purse.open()
        accepted = purse.close(stake, confirm(settings, draw, Scale.of(sigma), purse.bar(stake)))
        right, wrong, real = right + (accepted & true), wrong + (accepted & ~true), real + true
    return {
        f"power_{effect:g}": round(float(right.sum() / real.sum()), 4),
        f"fdr_{effect:g}": round(float((wrong / np.maximum(1, right + wrong)).mean()), 4),
    }

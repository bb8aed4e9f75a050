"""From records of campaigns to figures with Monte-Carlo standard errors. Gains are in sd of a paired difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from calibration.noise import Floats
from calibration.stream import EFFECTS, Record

# Caps a heavy tail that a mean over a few thousand confirmations could not settle; a capped e-value is still one.
LARGEST_E = 20.0
Figure = tuple[float, float] | None


@dataclass(frozen=True)
class Counts:
    """Sums by campaign, all that a summary needs from a record.

    true, found: true effects proposed and accepted, axes: size of the effect, campaign. false: accepted without a gain.
    claimed, fresh, real: gains of the accepted, as announced, from further pairs, and true. tested, evidence: null
    hypotheses that were confirmed, and the sum of min(E, 20) over them.
    """

    false: Floats
    true: Floats
    found: Floats
    pairs: Floats
    claimed: Floats
    fresh: Floats
    real: Floats
    tested: Floats
    evidence: Floats
    hypotheses: int


def count(record: Record, fresh: Floats) -> Counts:
    """Sum a record up by campaign."""
    effects, accepted = record.effects, record.accepted
    true = np.stack([(effects == size).sum(axis=0) for size in EFFECTS]).astype(float)
    found = np.stack([((effects == size) & accepted).sum(axis=0) for size in EFFECTS]).astype(float)
    tested = (effects <= 0) & ~np.isnan(record.evidence)
    return Counts(
        ((effects <= 0) & accepted).sum(axis=0).astype(float),
        true,
        found,
        record.pairs.sum(axis=0),
        record.claims.sum(axis=0),
        fresh.sum(axis=0),
        np.where(accepted, effects, 0.0).sum(axis=0),
        tested.sum(axis=0).astype(float),
        np.where(tested, np.minimum(record.evidence, LARGEST_E), 0.0).sum(axis=0),
        len(effects),
    )


def joined(parts: Sequence[Counts]) -> Counts:
    """The campaigns of several blocks as one."""
    names = [field.name for field in fields(Counts) if field.name != "hypotheses"]
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names}
    return replace(parts[0], **arrays)


def summary(counts: Counts) -> dict[str, Figure]:
    """Figures by name, each with its Monte-Carlo standard error; None where there is nothing to divide by.

    any_false: share of campaigns with a false acceptance. fdr: mean share of false among the accepted. power: found
    among the true, overall and by effect. seeds: one seed is a pair of runs. inflation: claimed gain over true gain,
    minus 1; fresh_bias: the same of the estimate from further pairs; both None where the true gain is not above zero.
    null_evidence: mean of min(E, 20) at the end of confirmations of null hypotheses, at most 1 for a valid gate.
    """
    found, wrong = counts.found.sum(axis=0), (counts.false > 0).astype(float)
    share = counts.false / np.maximum(1.0, counts.false + found)
    figures: dict[str, Figure] = {
        "any_false": _mean(wrong),
        "fdr": _mean(share),
        "power": _ratio(found, counts.true.sum(axis=0)),
    }
    for size, hit, all_of in zip(EFFECTS, counts.found, counts.true, strict=True):
        figures[f"power_{size:g}"] = _ratio(hit, all_of)
    figures["seeds_per_hypothesis"] = _mean(counts.pairs / counts.hypotheses)
    figures["seeds_per_true_discovery"] = _ratio(counts.pairs, found)
    figures["claimed_gain"], figures["fresh_gain"] = _mean(counts.claimed), _mean(counts.fresh)
    figures["true_gain"] = _mean(counts.real)
    figures["inflation"] = _excess(counts.claimed, counts.real)
    figures["fresh_bias"] = _excess(counts.fresh, counts.real)
    figures["null_evidence"] = _ratio(counts.evidence, counts.tested)
    return figures


def _mean(values: Floats) -> tuple[float, float]:
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return float(values.mean()), spread / math.sqrt(values.size)


def _ratio(top: Floats, bottom: Floats) -> Figure:
    """Ratio of sums over campaigns, standard error by the delta method."""
    below = float(bottom.mean())
    if below <= 0:
        return None
    value = float(top.mean()) / below
    return value, _mean(top - value * bottom)[1] / below


def _excess(seen: Floats, real: Floats) -> Figure:
    ratio = _ratio(seen, real)
    return None if ratio is None else (ratio[0] - 1.0, ratio[1])

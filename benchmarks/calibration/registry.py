"""Every method by name. Novum's settings: a stake for each hypothesis or survivor, N_max 30 (docs/trust.md)."""

from __future__ import annotations

import math

from calibration.broken import EditedThreshold, StoredIncumbent, WithoutLedger
from calibration.novum_rules import Gate, Method, Screened
from calibration.others import BenjaminiHochberg, Bootstrap, MeanAbove, Ratchet, TTest
from novum.core.model.study import GateSettings

BATCH, KEEP = 8, 2
STAKE_FLOOR = 20
MAX_PAIRS = 30
ALPHAS = (0.05, 0.10, 0.20)


def settings(hypotheses: int, alpha: float = 0.10, *, refute_pairs: int = 0, refunds: bool = True) -> GateSettings:
    """The gate as planned for that many confirmations."""
    return GateSettings(
        alpha=alpha,
        planned=hypotheses,
        stake_floor=STAKE_FLOOR,
        max_pairs=MAX_PAIRS,
        refute_pairs=refute_pairs,
        refunds=refunds,
    )


def methods(hypotheses: int) -> dict[str, Method]:
    """Sound and unsound rules that are in use, by name, for campaigns of that many hypotheses."""
    survivors = KEEP * math.ceil(hypotheses / BATCH)
    table: dict[str, Method] = {f"novum-{alpha:.2f}": Gate(settings(hypotheses, alpha)) for alpha in ALPHAS}
    table |= {f"novum-{alpha:.2f}-screened": Screened(settings(survivors, alpha), BATCH, KEEP) for alpha in ALPHAS}
    table |= {
        "novum-0.10-refuting": Gate(settings(hypotheses, refute_pairs=10)),
        "e-lond-0.10": Gate(settings(hypotheses, refunds=False)),
        "keep-if-better": MeanAbove(1),
        "ratchet": Ratchet(),
        "best-of-3": MeanAbove(3),
        "t5": TTest(5),
        "t10": TTest(10),
        "t5-bonferroni": TTest(5, bonferroni=True),
        "t10-bonferroni": TTest(10, bonferroni=True),
        "t5-bh": BenjaminiHochberg(5),
        "t10-bh": BenjaminiHochberg(10),
        "bootstrap-3": Bootstrap(),
    }
    return table


def broken(hypotheses: int) -> dict[str, Method]:
    """Gates with one mistake each, by name. Re-used are the four seeds that made a candidate the best of sixteen."""
    rules = settings(hypotheses)
    return {
        "broken-reused-seeds": Screened(settings(math.ceil(hypotheses / 16)), 16, 1, rounds=4, reuse=True),
        "broken-stored-incumbent": StoredIncumbent(rules),
        "broken-no-ledger": WithoutLedger(rules),
        "broken-edited-threshold": EditedThreshold(rules),
    }

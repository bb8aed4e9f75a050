"""Run methods over noises and shares of true effects, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calibration.noise import NOISES
from calibration.novum_rules import Method
from calibration.registry import MAX_PAIRS
from calibration.stream import Draws, Stream, draws, fresh_gains
from calibration.summary import Counts, count, joined, summary
from novum.core.model.study import GateSettings

BLOCK = 500
SHARES = (0.0, 0.05, 0.20)


@dataclass(frozen=True)
class Plan:
    """What to run. campaigns: by mixed cell; null_campaigns: by cell without true effects; shares: of true effects."""

    methods: Mapping[str, Method]
    campaigns: int = 500
    null_campaigns: int = 500
    hypotheses: int = 200
    seed: int = 0
    noises: Sequence[str] = tuple(NOISES)
    shares: Sequence[float] = SHARES
    said: Callable[[str], None] = field(default=lambda _: None)

    def size(self, share: float) -> int:
        """Campaigns in a cell."""
        return self.campaigns if share else self.null_campaigns


def rows(plan: Plan) -> list[dict[str, Any]]:
    """One row for each noise, share and method: names, number of campaigns and the figures of `summary`."""
    return [row for noise in plan.noises for row in _noise_rows(plan, noise)]


def _noise_rows(plan: Plan, noise: str) -> Iterator[dict[str, Any]]:
    parts: dict[tuple[float, str], list[Counts]] = {}
    for block in range(-(-max(plan.size(share) for share in plan.shares) // BLOCK)):
        for share, name, counts in _block(plan, noise, block):
            parts.setdefault((share, name), []).append(counts)
    for (share, name), counts_of in parts.items():
        figures = summary(joined(counts_of))
        yield {"noise": noise, "share": share, "method": name, "campaigns": plan.size(share)} | figures


def _block(plan: Plan, noise: str, block: int) -> Iterator[tuple[float, str, Counts]]:
    """All cells of one block. The draws are the same for every method, share and number of campaigns."""
    key = [plan.seed, list(NOISES).index(noise), block]
    left = {share: min(BLOCK, plan.size(share) - block * BLOCK) for share in plan.shares}
    wanted = {share: size for share, size in left.items() if size > 0}
    drawn = draw_block(noise, [*key, 0], plan.hypotheses, max(wanted.values()))
    for share, size in wanted.items():
        for name, method in plan.methods.items():
            plan.said(f"{noise}, {share:.0%} true, block {block + 1}: {name}")
            record = method(Stream(drawn.first(size), share))
            rng = np.random.default_rng([*key, 1])
            yield share, name, count(record, fresh_gains(NOISES[noise], rng, record, GateSettings().estimate_pairs))


def draw_block(noise: str, key: Sequence[int], hypotheses: int, campaigns: int) -> Draws:
    """The draws of one block; `key` seeds them."""
    calibration = GateSettings().calibration_pairs
    return draws(NOISES[noise], np.random.default_rng(list(key)), hypotheses, MAX_PAIRS, campaigns, calibration)

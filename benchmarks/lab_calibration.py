"""Is the running lab as honest as its formula? Whole campaigns on coins whose chances are known.

The real loop, ledger, evolutionary researcher, screening, gate and inline executor run on the `coinflip` arena, in the
null world (every coin is fair: every finding is false) and in the mixed world. Figures come from the ledgers alone.

    python benchmarks/lab_calibration.py --campaigns 300 --json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from dataclasses import dataclass

from novum.arenas.coinflip import chance
from novum.core.engine.context import Campaign
from novum.core.engine.loop import Lab
from novum.core.model.budget import Budget
from novum.core.model.study import GateSettings, Study
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import fold
from novum.executors.inline import InlineExecutor
from novum.lab import open_campaign, wiring
from novum.ledger.memory_blobs import MemoryBlobs
from novum.testing.memory_ledger import MemoryLedger

SD = 0.0707
"""Standard deviation of the difference of two runs of 100 flips of a fair coin."""


@dataclass(frozen=True)
class Claim:
    """A supported hypothesis: its true gain, and what was claimed of it at the stop and from fresh pairs, in sd."""

    true: float
    at_stop: float
    fresh: float


@dataclass(frozen=True)
class CampaignResult:
    """One campaign, read from its ledger."""

    hypotheses: int
    confirmed: int
    pairs: int
    trials: int
    claims: tuple[Claim, ...]

    @property
    def false(self) -> int:
        """Claims whose true gain is not positive."""
        return sum(claim.true <= 1e-9 for claim in self.claims)


def campaign(world: str, seed: int, confirmations: int, gate: GateSettings) -> CampaignResult:
    """Run one campaign until it has closed `confirmations` of them."""
    study = Study("calibration", "coinflip", executor="inline", seed=seed, options={"world": world}, gate=gate)
    budget = Budget(trials=1_000_000)
    secret = seed.to_bytes(32, "big")
    context, ledger, state = wiring.context(study, budget, secret, 1), MemoryLedger(), CampaignState()
    open_campaign.take_up(state, ledger, context, budget)
    lab = Lab(Campaign(state, context), ledger, MemoryBlobs(), InlineExecutor(context.arena.spec.program))

    def enough(now: CampaignState) -> None:
        lab.draining = now.account.opened > confirmations

    lab.observe = enough
    lab.run()
    return _read(fold(record.event for record in ledger.read()), world)


def _read(state: CampaignState, world: str) -> CampaignResult:
    judged = [h for h in state.hypotheses.values() if h.verdict and h.rule]
    claims = []
    for hypothesis in judged:
        verdict, rule, size = hypothesis.verdict, hypothesis.rule, hypothesis.finding
        assert verdict
        assert rule
        if verdict.verdict is Verdict.SUPPORTED:
            true = chance(rule.candidate.genome, world) - chance(rule.incumbent.genome, world)
            fresh = size.effect if size and size.effect is not None else math.nan
            claims.append(Claim(true / SD, (verdict.mean or 0.0) / SD, fresh / SD))
    pairs = sum(h.verdict.pairs for h in judged if h.verdict)
    return CampaignResult(len(state.hypotheses), len(judged), pairs, state.trials, tuple(claims))


def figures(world: str, done: list[CampaignResult]) -> dict[str, float | str | int]:
    """The figures of a world over its campaigns, with Monte-Carlo standard errors of the two error rates."""
    n = len(done)
    claims = [claim for one in done for claim in one.claims]
    any_false = sum(one.false > 0 for one in done) / n
    shares = [one.false / max(1, len(one.claims)) for one in done]
    fdr = sum(shares) / n
    true = sum(claim.true > 1e-9 for claim in claims)
    confirmed = sum(one.confirmed for one in done)
    pairs = sum(one.pairs for one in done)
    fresh = [claim for claim in claims if not math.isnan(claim.fresh)]
    return {
        "world": world,
        "campaigns": n,
        "hypotheses_per_campaign": round(sum(one.hypotheses for one in done) / n, 1),
        "confirmations_per_campaign": round(confirmed / n, 1),
        "any_false": round(any_false, 4),
        "any_false_se": round(math.sqrt(any_false * (1 - any_false) / n), 4),
        "fdr": round(fdr, 4),
        "fdr_se": round(math.sqrt(sum((s - fdr) ** 2 for s in shares) / n / max(1, n - 1)), 4),
        "findings_per_campaign": round(len(claims) / n, 2),
        "true_findings": true,
        "pairs_per_confirmation": round(pairs / max(1, confirmed), 2),
        "pairs_per_true_finding": round(pairs / true, 1) if true else 0.0,
        "claimed_at_stop_sd": round(sum(claim.at_stop for claim in claims) / n, 3),
        "claimed_fresh_sd": round(sum(claim.fresh for claim in fresh) / n, 3),
        "true_gain_sd": round(sum(claim.true for claim in claims) / n, 3),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--campaigns", type=int, default=100, help="per world")
    parser.add_argument("--confirmations", type=int, default=40, help="per campaign")
    parser.add_argument("--alpha", type=float, default=0.10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    if chosen.campaigns < 1 or chosen.confirmations < 1 or not 0 < chosen.alpha < 1 or chosen.seed < 0:
        parser.error("campaigns and confirmations must be positive, alpha between 0 and 1, the seed not negative")
    gate = GateSettings(alpha=chosen.alpha, planned=chosen.confirmations)
    started = time.process_time()
    rows = []
    for world in ("null", "mixed"):
        done = []
        for number in range(chosen.campaigns):
            done.append(campaign(world, chosen.seed + number, chosen.confirmations, gate))
            if sys.stderr.isatty():
                print(f"\r{world}: {number + 1} of {chosen.campaigns}", end="", file=sys.stderr)
        rows.append(figures(world, done))
    result = {
        "settings": {**dataclasses.asdict(gate), "confirmations": chosen.confirmations, "seed": chosen.seed},
        "rows": rows,
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    if chosen.json:
        print(json.dumps(result))
        return
    for row in rows:
        print("\n" + "\n".join(f"{name:<28}{value}" for name, value in row.items()))
    print(f"\n{result['cpu_seconds']} CPU seconds")


if __name__ == "__main__":
    main()

"""Is the running lab as honest as its formula? Whole campaigns on candidates whose true means are known.

The real loop, ledger, evolutionary researcher, screening, gate and inline executor run on the `coinflip` arena, in the
null world (every coin is fair: every finding is false) and in the mixed world, and on gamblers (gambling_arena.py) that
gain a little nearly always and lose much rarely, under claims of the mean and of the typical gain. Figures come from
the ledgers alone.

    python benchmarks/lab_calibration.py --campaigns 300 --json
    python benchmarks/lab_calibration.py --worlds zero,negative,quiet,betting --campaigns 40
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gambling_arena import BOUNDS, GAMBLES, GamblingArena, Options, true_mean, unit

from novum.arenas.coinflip import chance
from novum.core.engine.context import Campaign
from novum.core.engine.loop import Lab
from novum.core.model.budget import Budget
from novum.core.model.candidate import Genome
from novum.core.model.ports import Arena
from novum.core.model.study import GateSettings, Study
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import fold
from novum.core.state.hypothesis import Hypothesis
from novum.executors.inline import InlineExecutor
from novum.lab import open_campaign, wiring
from novum.ledger.memory_blobs import MemoryBlobs
from novum.testing.memory_ledger import MemoryLedger
from novum.views.finding_views.claim_text import tail_line

SD = 0.0707
"""Standard deviation of the difference of two runs of 100 flips of a fair coin."""

COINS = ("null", "mixed")
FIVE_TIMES = 5


@dataclass(frozen=True)
class World:
    """A study whose true gains are known. gain: of a genome over another, in sd."""

    name: str
    study: Study
    arena: Arena | None
    program: str
    gain: Callable[[Genome, Genome], float]


@dataclass(frozen=True)
class Claim:
    """A supported hypothesis: its true mean gain, what was claimed of it at the stop and from fresh pairs, in sd.

    interval: in sd, None where there is none. told: losses are told at the finding. retracted: by its later runs or a
    replication; in_time: within five times the runs that found it; watched: whether it had so many later runs at all.
    """

    true: float
    at_stop: float
    fresh: float
    interval: tuple[float, float] | None
    told: bool
    retracted: bool
    in_time: bool
    watched: bool

    @property
    def false(self) -> bool:
        """Whether its mean gain is not positive."""
        return self.true <= 1e-9


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
        return sum(claim.false for claim in self.claims)


def worlds(names: list[str], claims: list[str], gate: GateSettings) -> Iterator[World]:
    """The worlds by name: coins as the arena declares them, gamblers under each claim."""
    for name in names:
        if name in COINS:
            study = Study("calibration", "coinflip", executor="inline", options={"world": name}, gate=gate)
            yield World(name, study, None, "novum.arenas.coinflip", _coin_gain(name))
            continue
        for claim in claims:
            settings = replace(
                gate,
                claim="mean" if claim == "mean" else "typical",
                loss_bound=BOUNDS[name] if claim == "mean" else None,
            )
            options = Options(name)  # type: ignore[arg-type]  # the names are those of GAMBLES
            study = Study("calibration", "gambling", executor="inline", options={"world": name}, gate=settings)
            yield World(f"{name}, {claim}", study, GamblingArena(options), "gambling_arena", _gamble_gain(options))


def _coin_gain(world: str) -> Callable[[Genome, Genome], float]:
    return lambda mine, other: (chance(mine, world) - chance(other, world)) / SD


def _gamble_gain(options: Options) -> Callable[[Genome, Genome], float]:
    return lambda mine, other: (true_mean(mine, options) - true_mean(other, options)) / unit(options)


def campaign(world: World, seed: int, confirmations: int) -> CampaignResult:
    """Run one campaign until it has closed `confirmations` of them."""
    study, budget = replace(world.study, seed=seed), Budget(trials=1_000_000)
    secret = seed.to_bytes(32, "big")
    context, ledger, state = wiring.context(study, budget, secret, 1, world.arena), MemoryLedger(), CampaignState()
    open_campaign.take_up(state, ledger, context, budget)
    lab = Lab(Campaign(state, context), ledger, MemoryBlobs(), InlineExecutor(world.program))

    def enough(now: CampaignState) -> None:
        lab.draining = now.account.opened > confirmations

    lab.observe = enough
    lab.run()
    return _read(fold(record.event for record in ledger.read()), world)


def _read(state: CampaignState, world: World) -> CampaignResult:
    judged = [h for h in state.hypotheses.values() if h.verdict and h.rule]
    claims = [_claim(state, one, world) for one in judged if one.verdict and one.verdict.verdict is Verdict.SUPPORTED]
    pairs = sum(h.verdict.pairs for h in judged if h.verdict)
    return CampaignResult(len(state.hypotheses), len(judged), pairs, state.trials, tuple(claims))


def _claim(state: CampaignState, one: Hypothesis, world: World) -> Claim:
    verdict, rule, size = one.verdict, one.rule, one.finding
    assert verdict
    assert rule
    true = world.gain(rule.candidate.genome, rule.incumbent.genome)
    sd = true_sd(world)
    fresh = size.effect if size and size.effect is not None else math.nan
    interval = (size.interval[0] / sd, size.interval[1] / sd) if size and size.interval else None
    within = FIVE_TIMES * 2 * (verdict.pairs + (size.pairs if size else 0))
    later, refuted = len(state.later_runs.get(one.id, ())), one.tail_refuted
    return Claim(
        true,
        (verdict.mean or 0.0) / sd,
        fresh / sd,
        interval,
        tail_line(state, one, rule) is not None,
        bool(one.retracted),
        bool(one.retracted) and (refuted is None or refuted.runs <= within),
        later >= within or bool(one.retracted),
    )


def true_sd(world: World) -> float:
    """The unit of a world's gains in its metric; coins have their own."""
    return SD if world.arena is None else unit(Options(world.name.partition(",")[0]))  # type: ignore[arg-type]


def figures(world: World, done: list[CampaignResult]) -> dict[str, float | str | int | None]:
    """The figures of a world over its campaigns, with Monte-Carlo standard errors of the two error rates."""
    n = len(done)
    claims = [claim for one in done for claim in one.claims]
    any_false = sum(one.false > 0 for one in done) / n
    shares = [one.false / max(1, len(one.claims)) for one in done]
    fdr = sum(shares) / n
    true = sum(not claim.false for claim in claims)
    confirmed, pairs = sum(one.confirmed for one in done), sum(one.pairs for one in done)
    fresh = [claim for claim in claims if not math.isnan(claim.fresh)]
    return {
        "world": world.name,
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
        "trials_per_true_finding": round(sum(one.trials for one in done) / true, 1) if true else None,
        "claimed_at_stop_sd": round(sum(claim.at_stop for claim in claims) / n, 3),
        "claimed_fresh_sd": round(sum(claim.fresh for claim in fresh) / n, 3),
        "true_gain_sd": round(sum(claim.true for claim in claims) / n, 3),
        **_interval_figures(claims),
        **_tail_figures(claims),
    }


def _interval_figures(claims: list[Claim]) -> dict[str, float | None]:
    """Of findings with an interval: false coverage of the true mean, share that contains zero, median width in sd."""
    known = [(claim, claim.interval) for claim in claims if claim.interval]
    n = len(known)
    if not n:
        return {"false_coverage": None, "contains_zero": None, "median_width_sd": None}
    missed = sum(not low <= claim.true <= high for claim, (low, high) in known)
    widths = sorted(high - low for _, (low, high) in known)
    return {
        "false_coverage": round(missed / n, 4),
        "contains_zero": round(sum(low <= 0 for _, (low, _) in known) / n, 4),
        "median_width_sd": round(widths[n // 2], 3),
    }


def _tail_figures(claims: list[Claim]) -> dict[str, float | int | None]:
    """Of false findings: how many tell their tail, and how many are retracted, within five times their runs."""
    false = [claim for claim in claims if claim.false]
    watched = [claim for claim in false if claim.watched]
    true = [claim for claim in claims if not claim.false]
    return {
        "false_findings": len(false),
        "false_told": sum(claim.told for claim in false),
        "false_retracted": sum(claim.retracted for claim in false),
        "false_with_five_times_the_runs": len(watched),
        "false_retracted_in_time": sum(claim.in_time for claim in watched),
        "true_retracted": sum(claim.retracted for claim in true),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--campaigns", type=int, default=100, help="per world")
    parser.add_argument("--confirmations", type=int, default=40, help="per campaign")
    parser.add_argument("--worlds", default=",".join(COINS), help=f"of {', '.join([*COINS, *GAMBLES])}")
    parser.add_argument("--claims", default="typical,mean", help="of gamblers: typical, mean")
    parser.add_argument("--alpha", type=float, default=0.10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    if chosen.campaigns < 1 or chosen.confirmations < 1 or not 0 < chosen.alpha < 1 or chosen.seed < 0:
        parser.error("campaigns and confirmations must be positive, alpha between 0 and 1, the seed not negative")
    names, claims = chosen.worlds.split(","), chosen.claims.split(",")
    if unknown := [name for name in names if name not in (*COINS, *GAMBLES)]:
        parser.error(f"no world {unknown[0]!r}; there are: {', '.join([*COINS, *GAMBLES])}")
    if unknown := [name for name in claims if name not in ("typical", "mean")]:
        parser.error(f"no claim {unknown[0]!r}; there are: typical, mean")
    gate = GateSettings(alpha=chosen.alpha, planned=chosen.confirmations)
    started = time.process_time()
    rows = []
    for world in worlds(names, claims, gate):
        done = []
        for number in range(chosen.campaigns):
            done.append(campaign(world, chosen.seed + number, chosen.confirmations))
            if sys.stderr.isatty():
                print(f"\r{world.name}: {number + 1} of {chosen.campaigns}", end="", file=sys.stderr)
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

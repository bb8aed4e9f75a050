"""Preflight checks: what follows from its experiments, which `novum.lab.preflight` runs. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from novum.core.engine import evidence_plan
from novum.core.engine.evidence_plan import KEPT, LONG
from novum.core.events.campaign import Check
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Budget
from novum.core.model.study import Study
from novum.core.model.verdict import Pair
from novum.gate import power
from novum.gate.judge import BettingGate

SUSPICIOUS_TREND = 4.5
SUSPICIOUS_SHIFT = 6.0
FAR_FROM_CEILING = 2.0
FEW_RUNS = 4
"""Runs of the baseline below which a failure among them, or a drift, cannot be told from chance."""
BIG = 2.0
NEAR = 1e-12
MOVES = "metric moves"
TRUTH = "truth"
SHIFT = "search and gate data"


def first_threshold(study: Study, confirmations: int = LONG) -> float:
    """E that the first confirmation of a campaign has to reach whose budget pays for so many of them."""
    gate = study.gate
    if gate.planned or not gate.refunds:
        planned = gate.planned or LONG
        return max(planned, gate.stake_floor if gate.refunds else 1) / gate.alpha
    if confirmations >= LONG:
        return max(LONG, gate.stake_floor) / gate.alpha / (1.0 - KEPT)
    return max(1, confirmations) / gate.alpha / (1.0 - KEPT)


def noise(spec: ArenaSpec, scores: Sequence[float | None]) -> Check:
    """Scale and drift of the incumbent's A/A runs, in metric units; a constant metric is a finding of its own."""
    values = [score for score in scores if score is not None]
    failed = len(scores) - len(values)
    if len(values) < (FEW_RUNS if failed else 2):
        return Check("noise", False, f"{failed} of {len(scores)} runs of the baseline failed")
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    figures = {"mean": mean, "sigma": sd * math.sqrt(2), "failed": float(failed)}
    if sd < NEAR:
        words = "every seed gives the same score: the metric has no noise, or the program ignores its seed"
        return Check("noise", None, words, figures)
    if len(values) < FEW_RUNS:
        words = (
            f"sigma {figures['sigma']:.3g} {spec.metric}, mean {mean:.3g}, from {len(values)} runs: too few for more"
        )
        return Check("noise", None, words, figures)
    trend = _trend(values)
    if abs(trend) > SUSPICIOUS_TREND:
        return Check("noise", False, f"the scores drift with the order of the runs (t = {trend:.1f})", figures)
    unit = f"sigma {figures['sigma']:.3g} {spec.metric}"
    sound = True if failed == 0 else None if failed <= len(scores) / 10 else False
    return Check("noise", sound, f"{unit}, mean {mean:.3g}, {failed} failed runs, no drift", figures)


def shifted(spec: ArenaSpec, search: Sequence[float], gate: Sequence[float]) -> Check | None:
    """That the baseline scores otherwise on search data than on gate data; None where it does not, or few runs tell.

    search: its runs at the best setting of its sweep, which is a lucky one: only a large difference says anything.
    """
    if not search or len(gate) < FEW_RUNS:
        return None
    scale = math.log if spec.log else float
    mine, other = [scale(one) for one in search], [scale(one) for one in gate]
    apart = abs(statistics.fmean(mine) - statistics.fmean(other))
    doubt = statistics.stdev(other) * math.sqrt(1.0 / len(mine) + 1.0 / len(other))
    if apart <= max(spec.resolution, SUSPICIOUS_SHIFT * doubt):
        return None
    words = (
        f"the baseline scores {statistics.fmean(search):.3g} on search data and {statistics.fmean(gate):.3g} on gate "
        "data: where these are of two distributions, the arena has to say shifted_data=True, or gains are misjudged"
    )
    return Check(SHIFT, None, words, {"apart": apart, "doubt": doubt})


def metric_moves(level: float, scores: Sequence[float | None], asked: int) -> Check:
    """Whether a metric without noise tells changed candidates apart. scores: of those that ran, of `asked` wanted.

    level: what every seed of the baseline gave.
    """
    values = [score for score in scores if score is not None]
    figures = {"level": level, "changed": float(len(values))}
    if any(score != level for score in values):
        return Check(MOVES, True, f"of {len(values)} changed candidates one scored other than {level:g}", figures)
    if len(values) < asked:
        words = f"{len(values)} changed candidates scored {level:g} as well; more could not be asked"
        return Check(MOVES, None, words, figures, asked=False)
    words = (
        f"every seed, and each of {len(values)} changed candidates, scored {level:g}: nothing can be found with a "
        "metric that is always the same; look whether the score depends on what a candidate leaves"
    )
    return Check(MOVES, False, words, figures)


def truth(guessed: Sequence[str]) -> Check:
    """Whether the truth of a trial was made again from seeds that a candidate can guess, which are named."""
    if not guessed:
        return Check(TRUTH, True, "neither the seed that a candidate is told nor an obvious one makes it")
    if list(guessed) == ["any seed"]:
        return Check(TRUTH, None, "it is the same for every seed; fixed_data = true keeps parts for search and gate")
    words = f"prepare makes the same truth from {', '.join(guessed)}: a candidate can know what it is scored against"
    return Check(TRUTH, False, words)


def range_left(spec: ArenaSpec, scores: Sequence[float | None]) -> Check:
    """Whether the baseline leaves room up to the ceiling and stands above a guess."""
    values = [score for score in scores if score is not None]
    if len(values) < 2 or (spec.floor is None and spec.ceiling is None):
        return Check("range", None, "the arena declares neither floor nor ceiling")
    scale = math.log if spec.log else float
    mean = statistics.fmean(scale(value) for value in values)
    sigma = max(statistics.stdev(scale(value) for value in values) * math.sqrt(2), spec.resolution)
    left = math.inf if (best := _scaled(spec, spec.ceiling)) is None else abs(best - mean) / sigma
    above = math.inf if (worst := _scaled(spec, spec.floor)) is None else abs(mean - worst) / sigma
    figures = {name: value for name, value in (("room_sd", left), ("above_floor_sd", above)) if value < math.inf}
    if left < FAR_FROM_CEILING:
        return Check(
            "range", False, f"the baseline stands {left:.1f} sigma from perfection: nothing can be shown", figures
        )
    if above < FAR_FROM_CEILING / 2:
        return Check("range", None, f"the baseline stands {above:.1f} sigma from a guess: it may not learn", figures)
    words = f"{left:.1f} sigma of room above the baseline" if left < math.inf else "how much room there is is not known"
    return Check("range", True, words, figures)


def _scaled(spec: ArenaSpec, level: float | None) -> float | None:
    """An end of the scale in units of gains; None where there is none."""
    if level is None or (spec.log and level <= 0):
        return None
    return math.log(level) if spec.log else level


def against_itself(study: Study, scores: Sequence[float | None], sigma: float) -> Check:
    """The baseline against itself on other seeds, by the campaign's own rule: it must not be supported."""
    rule = power.unit_rule(study.gate, first_threshold(study), study.gate.max_pairs)
    pairs = [
        Pair(None if one is None else one / sigma, None if other is None else other / sigma)
        for one, other in zip(scores[::2], scores[1::2], strict=False)
    ]
    now = BettingGate(study.gate).judge(rule, pairs, 0, 0)
    words = f"the baseline against itself: E = {now.e_value:.2g} of {now.threshold:.3g} after {now.pairs} pairs"
    return Check("negative control: A/A", now.verdict != "supported", words, {"e_value": now.e_value})


def reach(
    study: Study, budget: Budget, seconds: float, cpu: float, sweep: int, workers: int, *, noiseless: bool = False
) -> tuple[Check, str]:
    """Which effects the budget can confirm. seconds, cpu: of one trial; sweep: trials of one screening.

    noiseless: the metric had no noise, so that its resolution stands for one sd.

    The budget has to pay for the incumbent's sweep, its A/A runs, one screening round, one confirmation and its
    estimate. Returns the check and a plain-words conclusion.
    """
    gate = study.gate
    fixed = sweep * (1 + study.screening.keep_one_in) + gate.calibration_runs + 2 * gate.estimate_pairs
    trials = affordable(budget, seconds, cpu, workers)
    bar = first_threshold(study, _payable(study, trials, fixed, sweep))
    table = _table(study, trials, fixed, bar)
    pairs = max(0, min(gate.max_pairs, int((trials - fixed) // 2)))
    figures = {f"power_{row.effect:g}_sd": row.probability for row in table}
    figures |= {"trials": min(trials, 1e15), "pairs": float(pairs), "threshold": bar}
    reached = [row.effect for row in table if row.probability >= power.WANTED]
    words = ", ".join(f"{row.effect:g} sd: {row.probability:.0%}" for row in table)
    hopeless = _hopeless(table)
    # A trial takes no less than its CPU time: what is hopeless only for the clock may be so only while others compute.
    busy = hopeless and not _hopeless(_table(study, affordable(budget, min(seconds, cpu), cpu, workers), fixed, bar))
    unit = "the metric showed no noise, so that its resolution stands for one sd; " if noiseless else ""
    if busy:
        words += (
            f"; trials take {seconds / max(cpu, 1e-6):.1f} times their CPU time here: on a free machine it would do"
        )
    return Check("power", None if busy else not hopeless, f"{unit}{words}", figures), unit + _conclusion(
        study, reached, fixed, trials, bar
    )


def _payable(study: Study, trials: float, fixed: int, sweep: int) -> int:
    """Confirmations that so many trials pay for, with the screening that leads to each."""
    each = evidence_plan.trials_each(study, max(1, sweep // study.screening.seeds))
    return int(max(1.0, min(float(LONG), (trials - fixed) / each)))


def _table(study: Study, trials: float, fixed: int, bar: float) -> list[power.Power]:
    """Power at each effect size when so many trials can be paid."""
    pairs = max(0, min(study.gate.max_pairs, int((trials - fixed) // 2)))
    if not pairs:
        return [power.Power(effect, 0.0, 0.0) for effect in power.EFFECTS]
    return power.power(study.gate, bar, pairs)


def _hopeless(table: Sequence[power.Power]) -> bool:
    return not any(row.probability >= 0.5 for row in table if row.effect <= BIG)


def affordable(budget: Budget, seconds: float, cpu: float, workers: int) -> float:
    """Trials that the budget pays for; infinite without a bound."""
    bounds = [
        math.inf if budget.trials is None else float(budget.trials),
        math.inf if budget.cpu_seconds is None else budget.cpu_seconds / max(cpu, 1e-6),
        math.inf if budget.wall_seconds is None else budget.wall_seconds * workers / max(seconds, 1e-6),
    ]
    return min(bounds)


def _conclusion(study: Study, reached: Sequence[float], fixed: int, trials: float, bar: float) -> str:
    if not reached:
        pairs = power.pairs_needed(study.gate, bar, BIG) or study.gate.max_pairs
        times = (fixed + 2 * pairs) / max(trials, 1.0)
        return f"this budget can confirm nothing below {BIG:g} sd; it needs about {max(1.1, times):.1f} times as much"
    smallest = min(reached)
    text = f"this budget can confirm effects of {smallest:g} sd or more"
    below = max((effect for effect in power.EFFECTS if effect < smallest), default=None)
    if below is None:
        return text
    need = power.pairs_needed(study.gate, bar, below)
    if need is None:
        return f"{text}; {below:g} sd is out of reach of this gate at any budget"
    times = (fixed + 2 * need) / max(trials, 1.0)
    more = f"{times:.1f} times the budget" if times > 1.05 else "no larger budget"
    return f"{text}; {below:g} sd needs max_pairs = {need} (now {study.gate.max_pairs}) and {more}"


def _trend(values: Sequence[float]) -> float:
    """The t statistic of the slope of the scores over their order."""
    n, middle = len(values), (len(values) - 1) / 2
    mean = statistics.fmean(values)
    spread = sum((i - middle) ** 2 for i in range(n))
    slope = sum((i - middle) * (value - mean) for i, value in enumerate(values)) / spread
    rest = sum((value - mean - slope * (i - middle)) ** 2 for i, value in enumerate(values))
    return slope / math.sqrt(max(rest / (n - 2) / spread, 1e-300))

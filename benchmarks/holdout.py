"""One holdout asked again and again: what is reported and what is true, for the rules of gate/holdout_mechanisms.

python benchmarks/holdout.py                        10 repeats, about 60 CPU seconds
python benchmarks/holdout.py --repeats 30 --seed 1 --json

climb: hill climbing, each proposal asked against the best so far; "over the start" asks for gains over the first model
instead, and "N asks" climbs on the gate split and asks the holdout N times whether it has got further than the last
yes. features: classifiers from features that the holdout let pass, where labels are coin flips (Dwork et al., Science
349, 2015). power: share of real gains that the coarse rule finds.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from novum.gate.holdout_mechanisms import MECHANISMS, Answer, History, Query, coarse, expected_inflation

EXAMPLES = 1000
PROPOSALS = 2000
CHURN = 0.04
START = 0.6
HARMFUL, HARM = 0.3, -0.005
GOOD, GAIN = 0.02, 0.01
FEATURES, SIZES_OF_VOTES = 1000, (10, 50, 100, 200)
SIZES = (360, 1000)
GAINS = ((0.01, 0.02), (0.01, 0.10), (0.02, 0.04), (0.02, 0.10), (0.05, 0.10))
HISTORIES = (History(0, 0), History(4, 0), History(9, 0), History(9, 2), History(19, 3))
POWER_DRAWS = 40
"""Draws of the power table for each repeat."""

Bools = NDArray[np.bool_]


class Parser(argparse.ArgumentParser):
    """Bad arguments get one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong."""
        self.exit(2, f"{self.prog}: {message}\n")


@dataclass(frozen=True)
class Model:
    """True accuracy, and which examples of the gate split and of the holdout it answers correctly."""

    true: float
    gate: Bools
    hold: Bools

    def changed(self, gain: float, rng: np.random.Generator) -> Model:
        """A proposal: CHURN of the answers change, by a true `gain` in all; nothing is left to lose near 0."""
        gain = gain if CHURN < self.true + gain < 1 - CHURN else 0.0
        wins, lost_trials = (CHURN + gain) / 2 / (1 - self.true), (CHURN - gain) / 2 / self.true
        gate, hold = (
            split ^ (rng.random(EXAMPLES) < np.where(split, lost_trials, wins)) for split in (self.gate, self.hold)
        )
        return Model(self.true + gain, gate, hold)


class Desk:
    """The holdout's front desk: one mechanism, one key, one history."""

    def __init__(self, mechanism: str, key: bytes) -> None:
        self.rule, self.key, self.history = MECHANISMS[mechanism], key, History()

    def ask(self, differences: NDArray[Any], gate_gain: float, delta: float = 0.0) -> Answer:
        """Put a query and remember its answer."""
        query = Query(differences.tolist(), self.key, gate_gain, min(max(delta, 0.0), 0.99))
        answer = self.rule(query, self.history)
        self.history = self.history.after(answer)
        return answer

    def compare(self, new: Model, old: Model, delta: float = 0.0) -> Answer:
        """Ask whether `new` beats `old`."""
        return self.ask(_minus(new.hold, old.hold), float(_minus(new.gate, old.gate).mean()), delta)


def climb(mechanism: str, style: str, good: float, asks: int, rng: np.random.Generator) -> dict[str, float | None]:
    """One campaign of PROPOSALS. style: what is asked, see the top of this file."""
    request_log = Desk(mechanism, rng.bytes(32))
    start = best = tip = Model(START, rng.random(EXAMPLES) < START, rng.random(EXAMPLES) < START)
    accepted, false, told = 0, 0, 0.0
    for number in range(1, PROPOSALS + 1):
        new = tip.changed(_gain(good, rng), rng)
        if style == "asks":
            tip = new if new.gate.sum() > tip.gate.sum() else tip
            if number % max(1, PROPOSALS // asks):
                continue
            new = tip
        over = style == "over the start"
        answer = request_log.compare(new, start if over else best, told if over else 0.0)
        if answer.held:
            accepted, false = accepted + 1, false + (new.true <= best.true)
            best, told = new, answer.reported or 0.0
            tip = tip if style == "asks" else new
    last = request_log.compare(best, start).reported
    return {
        "reported": None if last is None else START + last,
        "true": best.true,
        "accepted": accepted,
        "false": false / accepted if accepted else None,
    }


def features(mechanism: str, rng: np.random.Generator) -> dict[int, tuple[float, int]]:
    """By size: what the last classifier is said to gain over a coin (0 in truth), and the features in it.

    Each feature is a classifier of its own against a coin. Those that gain more than a standard error on the gate split
    are asked, best first, whether they do so on the holdout; the best of those that pass vote together.
    """
    request_log, margin = Desk(mechanism, rng.bytes(32)), 0.5 / math.sqrt(EXAMPLES)
    labels = rng.choice([-1.0, 1.0], (2, EXAMPLES, 1))
    data = rng.standard_normal((2, EXAMPLES, FEATURES), dtype=np.float32)
    right = np.where(data * labels > 0, 0.5, -0.5)
    alarm_signals = np.sign(right[0].mean(axis=0))
    right *= alarm_signals
    gains = right[0].mean(axis=0)
    ranked = [j for j in np.argsort(-gains) if gains[j] > margin]
    kept = [j for j in ranked if request_log.ask(right[1, :, j], float(gains[j]), margin).held]
    found = {}
    for size in SIZES_OF_VOTES:
        top = kept[:size]
        votes = (data[:, :, top] * alarm_signals[top]).sum(axis=2) * labels[:, :, 0]
        correct = np.sign(votes) / 2
        told = request_log.ask(correct[1], float(correct[0].mean())).reported
        found[size] = (told or 0.0, len(top))
    return found


def power(n: int, gain: float, churn: float, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """Share of `draws` in which the coarse rule finds a true gain, after each of HISTORIES."""
    odds = [(churn + gain) / 2, 1 - churn, (churn - gain) / 2]
    asked = [Query(rng.choice([1, 0, -1], n, p=odds).tolist(), b"power") for _ in range(draws)]
    return {
        f"query {past.queries + 1}, {past.held} yes": sum(coarse(query, past).held for query in asked) / draws
        for past in HISTORIES
    }


def run(repeats: int, seed: int, asks: int) -> dict[str, list[dict[str, Any]]]:
    """All three tables; every rule meets the same draws as long as its answers are the same."""
    climbers = [(name, "") for name in MECHANISMS] + [("thresholdout", "over the start"), ("coarse", "asks")]
    climbs, selections = [], []
    for good in (0.0, GOOD):
        for name, style in climbers:
            ends = [climb(name, style, good, asks, np.random.default_rng([seed, i])) for i in range(repeats)]
            label = f"{name}, {asks} asks" if style == "asks" else f"{name}, {style}" if style else name
            climbs.append({"rule": label, "good": good} | {key: _mean(end[key] for end in ends) for key in ends[0]})
    for name in MECHANISMS:
        runs = [features(name, np.random.default_rng([seed, i])) for i in range(repeats)]
        for size in SIZES_OF_VOTES:
            row = {"rule": name, "best": size, "reported": _mean(run[size][0] for run in runs)}
            selections.append(row | {"kept": _mean(run[size][1] for run in runs)})
    powers = [
        {"n": n, "gain": gain, "churn": churn}
        | power(n, gain, churn, POWER_DRAWS * repeats, np.random.default_rng([seed, n]))
        for n in SIZES
        for gain, churn in GAINS
    ]
    return {"climb": climbs, "features": selections, "power": powers}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print it."""
    line = Parser(prog="holdout", description=(__doc__ or "").splitlines()[0])
    line.add_argument("--repeats", type=_positive, default=10, help="campaigns of each rule (default: 10)")
    line.add_argument("--seed", type=_natural, default=0, help="of all draws (default: 0)")
    line.add_argument("--asks", type=_positive, default=20, help="queries of the climber that saves them (default: 20)")
    line.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    given, started = line.parse_args(arguments), time.process_time()
    found = run(given.repeats, given.seed, given.asks)
    spent = time.process_time() - started
    if given.json:
        settings = {name: getattr(given, name) for name in ("repeats", "seed", "asks")}
        print(json.dumps({"settings": settings, **found, "cpu_seconds": round(spent, 2)}))
        return
    print("\n\n".join(_table(title, rows) for title, rows in found.items()))
    expected = START + expected_inflation(EXAMPLES, PROPOSALS, CHURN, START)
    print(f"\nnaive climb without good proposals, by expected_inflation: {expected:.3f} reported for {START:.3f}")
    print(f"{spent:.0f} CPU seconds; ± is a Monte-Carlo standard error")


def _gain(good: float, rng: np.random.Generator) -> float:
    u = rng.random()
    return HARM if u < HARMFUL else GAIN if u > 1 - good else 0.0


def _minus(new: Bools, old: Bools) -> NDArray[np.int8]:
    return new.astype(np.int8) - old.astype(np.int8)


def _mean(values: Iterable[float | None]) -> tuple[float, float] | None:
    """Mean and standard error of what is there."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    error = statistics.stdev(there) / math.sqrt(len(there)) if len(there) > 1 else 0.0
    return statistics.fmean(there), error


def _table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([title, *text])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return f"{value[0]:.3f}±{value[1]:.3f}"
    return str(value)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number above 0, not {text!r}")
    return int(text)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 on, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

"""A scaling study in tables and sentences for people."""

from __future__ import annotations

import math

from novum.arenas.sequence.scaling_summary import RegisteredPrediction, ScaledLaw, ScalingSummary
from novum.cli.printing.output import line, number, table

WIDE = 1.0
"""An interval wider than so many times its number says too little for the number to be used."""
MEANINGS = {
    "E": "loss without end of size and data",
    "A": "of the size",
    "B": "of the data",
    "alpha": "exponent of the size",
    "beta": "exponent of the data",
    "a": "N_opt grows as C^a",
    "gamma": "best loss less E falls as C^-gamma",
}


def print_summary(found: ScalingSummary) -> None:
    """Everything that is known."""
    several = len({one.architecture for one in found.cells}) > 1
    table(
        ["architecture", "N", "D", "6 N D", "products", "rate", "loss", ""],
        [
            [
                one.architecture if several or index == 0 else "",
                f"{one.parameters:,}",
                f"{one.tokens:,}",
                f"{one.compute:.2e}",
                f"{one.product_flop:.2e}",
                f"{one.rate:g}",
                "diverged" if one.loss is None else f"{one.loss:.4f}",
                "held out" if one.held_out else "",
            ]
            for index, one in enumerate(found.cells)
        ],
        right=frozenset(range(1, 7)),
    )
    for law in found.laws:
        _print_law(law, found.entropy)
    if found.comparison is not None:
        print(f"\n{line(found.comparison)}")
    missing = found.cells_planned - len(found.cells)
    if missing:
        print(f"\n{missing} of {found.cells_planned} cells are not recorded")
    print(f"\n{line(found.record)}: {found.lines} lines, in order; the last one has the SHA-256 {found.digest}")


def _print_law(found: ScaledLaw, entropy: float | None) -> None:
    print(f"\n{line(found.architecture)}: loss = E + A / N^alpha + B / D^beta")
    if found.law is None:
        print("no law follows from these runs")
    else:
        _print_numbers(found)
        if entropy is not None:
            print(_floor(found, entropy))
    for remark in found.remarks:
        print(f"note: {line(remark)}")
    if found.prediction is not None:
        print(_outcome(found.prediction))


def _floor(found: ScaledLaw, entropy: float) -> str:
    """E against what no network can be better than."""
    low, high = found.intervals["E"]
    where = f"the task's entropy, {entropy:.4f}, is {'inside' if found.entropy_inside else 'outside'} the interval of E"
    if found.floor_error is None or not is_known((found.law or {})["E"], low, high):
        return f"{where}, which is too wide to tell anything"
    near = "within" if found.floor_near else "not within"
    return f"{where}; E is {100 * found.floor_error:+.2f} % off, {near} 2 %"


def _print_numbers(found: ScaledLaw) -> None:
    law = found.law or {}
    values = law | {
        "a": law["beta"] / (law["alpha"] + law["beta"]),
        "gamma": law["alpha"] * law["beta"] / (law["alpha"] + law["beta"]),
    }
    rows = []
    for name, meaning in MEANINGS.items():
        low, high = found.intervals[name]
        known = is_known(values[name], low, high)
        ends = f"{number(low) if low is not None else '-inf'} to {number(high) if high is not None else 'inf'}"
        rows.append([name, number(values[name]) if known else "not known", ends, meaning])
    table(["", "value", f"{100 * (found.level or math.nan):g} %", ""], rows, right=frozenset({1}))


def is_known(value: float, low: float | None, high: float | None) -> bool:
    """Whether an interval is narrow enough for its number to be shown: at most as wide as the number is large.

    Amounts such as A go with exponents over orders of magnitude, so they are often not.
    """
    return low is not None and high is not None and high - low <= WIDE * abs(value)


def _outcome(found: RegisteredPrediction) -> str:
    said = (
        f"registered before the run at {found.reach:.3g} times the largest compute: {found.value:.4f}, "
        f"{found.low:.4f} to {found.high:.4f}"
    )
    if found.measured is None or found.relative_error is None:
        return f"{said}; not measured"
    where = "inside" if found.inside else "outside"
    return f"{said}; measured: {found.measured:.4f}, {where}; relative error {100 * found.relative_error:+.2f} %"

"""Tables of docs/trust.md from the results kept in docs/results; `python tests/support/trust_tables.py` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "trust.md"
RESULTS = ROOT / "docs" / "results"
BLOCK = re.compile(r"(<!-- results: (\w+) -->\n)(.*?)(<!-- end of results -->)", re.S)


def result(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())["result"]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def two(value: float | None) -> str:
    """Without a leading zero, as the page writes shares."""
    if value is None:
        return "-"
    text = f"{value:.2f}"
    return text.replace("0.", ".", 1) if text.startswith("0.") else text


def three(value: float) -> str:
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.startswith("0.") else text


def gate() -> str:
    rows = {(r["noise"], r["share"], r["method"]): r for r in result("gate")["rows"]}
    methods = ("novum-0.10", "keep-if-better", "ratchet")

    def cells(read: Callable[[str], str]) -> list[str]:
        return [read(method) for method in methods]

    def nulls(method: str) -> str:
        return " / ".join(three(rows[noise, 0.0, method]["any_false"][0]) for noise in noises)

    def both(key: str, write: Callable[[float], str]) -> Callable[[str], str]:
        return lambda method: " / ".join(write(rows["gaussian", share, method][key][0]) for share in (0.05, 0.2))

    noises = ("gaussian", "t3", "bounded", "tied", "crash")
    screened = " / ".join(
        f"{rows['gaussian', share, 'novum-0.10-screened']['seeds_per_true_discovery'][0]:.0f}" for share in (0.05, 0.2)
    )
    body = [
        ["null stream, any mean not positive: Gaussian / t3 / bounded / ties / a loss of 6 sd in 5 %", *cells(nulls)],
        ["5 % / 20 % true: share of false findings", *cells(both("fdr", three))],
        ["power at 1 sd", *cells(both("power_1", two))],
        ["power at 2 sd", *cells(both("power_2", two))],
        ["pairs per true discovery", *cells(both("seeds_per_true_discovery", lambda v: f"{v:.0f}"))],
        ["the same, screened 8 to 2", screened, "", ""],
    ]
    return table(["", "the gate", "keep if better", "best stored score"], body)


def gamblers() -> str:
    rows = result("gamblers")["gamblers"]
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["world"], {})[row["claim"]] = row
    body = []
    for world, by in found.items():
        typical, mean = by["typical"], by["mean"]
        body.append(
            [
                world,
                f"{mean['mean']:+.2f}".replace("0.", ".", 1),
                f"{two(typical['any_not_positive'])} ± {two(typical['error'])}",
                two(typical["mixed_not_positive_share"]),
                f"{two(mean['any_not_positive'])} ± {two(mean['error'])}",
                f"{mean['loss_side']:.1f}",
                f"{two(mean['power_1'])} / {two(mean['power_2'])}",
            ]
        )
    head = [
        "candidates", "mean", "typical: any found", "typical: their share, 20 % true", "mean: any found", "L",
        "mean: power at 1 / 2 sd",
    ]  # fmt: skip
    return table(head, body)


def arms() -> str:
    rows = result("arms")["arms"]
    by = {(row["arm"], row["share"]): row for row in rows}
    sizes = sorted({row["arm"] for row in rows})
    body = [
        [
            str(arm),
            " / ".join(f"{by[arm, share]['trials_per_true_discovery']:.0f}" for share in (0.05, 0.2)),
            three(by[arm, 0.0]["any_false"]),
            " / ".join(three(by[arm, share]["fdr"]) for share in (0.05, 0.2)),
            " / ".join(two(by[arm, share]["power_1"]) for share in (0.05, 0.2)),
        ]
        for arm in sizes
    ]
    head = ["candidates in an arm", "trials per true discovery", "null stream, any false", "false share", "power 1 sd"]
    return table(head, body)


def plans() -> str:
    rows = result("small")["plans"]
    by = {(row["confirmations"], row["process"], row["pairs"]): row for row in rows}
    counts = sorted({row["confirmations"] for row in rows})

    def power(row: dict[str, Any]) -> str:
        return f"{two(row['power_1'])} / {two(row['power_2'])}"

    body = [
        [
            str(count),
            *(power(by[count, process, pairs]) for process in ("betting", "scale-free") for pairs in (8, 30)),
            two(by[count, "betting", 30]["power_1_unplanned"]),
            three(max(row["fdr_1"] for row in rows if row["confirmations"] == count)),
        ]
        for count in counts
    ]
    head = [
        "confirmations paid", "betting, 8 pairs", "30 pairs", "scale-free, 8 pairs", "30 pairs",
        "betting, 30 pairs at 1 sd, ledger planned for 200", "false share, at most",
    ]  # fmt: skip
    return table(head, body)


def nulls() -> str:
    rows = result("small")["small_nulls"]
    body = [
        [
            row["world"],
            f"{three(row['free_0.05'])} / {three(row['free_0.01'])}",
            f"{three(row['shipped_0.05'])} / {three(row['shipped_0.01'])}",
        ]
        for row in rows
    ]
    return table(["differences of mean zero", "scale-free, nominal .05 / .01", "betting"], body)


def intervals() -> str:
    rows = result("intervals")["intervals"]
    by = {(row["noise"], row["interval"]): row for row in rows}
    names = list(dict.fromkeys(row["noise"] for row in rows))
    body = []
    for name in names:
        mine, alone = by[name, "selective"], by[name, "sequence"]
        body.append(
            [
                name,
                f"{three(mine['false_coverage'])} ± {three(mine['error'])}",
                f"{mine['median_width']:.1f} ({alone['median_width']:.1f})",
                f"{mine['contains_zero']:.0%} ({alone['contains_zero']:.0%})",
            ]
        )
    return table(
        ["noise", "false coverage at 90 %", "median width in sd (fresh alone)", "contains zero (fresh alone)"], body
    )


def lab() -> str:
    body = []
    for row in result("lab")["rows"]:
        retracted = f"{row['false_retracted']} of {row['false_findings']}" if row["false_findings"] else "-"
        watched = row["false_with_five_times_the_runs"]
        in_time = f"{row['false_retracted_in_time']} of {watched}" if watched else "-"
        body.append(
            [
                row["world"],
                f"{row['campaigns']}",
                f"{two(row['any_false'])} ± {two(row['any_false_se'])}",
                f"{row['findings_per_campaign']:.1f}",
                retracted,
                in_time,
            ]
        )
    head = [
        "world, claim", "campaigns", "any finding of no mean gain", "findings each", "of those retracted",
        "of those with five times the runs",
    ]  # fmt: skip
    return table(head, body)


BLOCKS: dict[str, Callable[[], str]] = {
    one.__name__: one for one in (gate, gamblers, arms, plans, nulls, intervals, lab)
}


def page(text: str) -> str:
    """The page with every block as the results have it."""
    return BLOCK.sub(lambda m: f"{m[1]}{BLOCKS[m[2]]()}{m[4]}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))

"""The table of docs/battery.md, made from docs/results/battery.json. Run it to write it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/battery.md"
RESULT = ROOT / "docs/results/battery.json"
LONGEST = 120
"""Characters of a rule in the table; the stored result has them all."""
BEGIN, END = "<!-- table -->\n", "<!-- end of the table -->\n"


def table() -> str:
    """One row for each target, and the sums."""
    result = json.loads(RESULT.read_text())["result"]
    head = ["target", "search", "CPU s", "candidates", "at random", "what was found", "rule"]
    lines = [head, ["---"] * len(head), *map(_row, result["targets"])]
    verified = sum(one["verified"] for one in result["targets"])
    sums = (
        f"{result['confirmed']} of {len(result['targets'])} found and confirmed, {result['random_found']} found at "
        f"random; both records of {verified} targets verify; {result['cpu_seconds']:.0f} s of CPU time in all."
    )
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", sums, ""])


def _row(one: dict[str, Any]) -> list[str]:
    end = _end(one["found"], one["confirmed"])
    chance = _end(one["random_found"], one["random_confirmed"])
    figures = [f"{one['cpu_seconds']:.0f}", f"{one['candidates']:,}"]
    rule = one["rule"] if len(one["rule"]) <= LONGEST else one["rule"][: LONGEST - 1] + "…"
    return [one["name"], end, *figures, chance, one["recognised"], f"`{rule}`"]


def _end(found: bool, confirmed: bool) -> str:
    return "found, confirmed" if confirmed else "found" if found else "not found"


def page() -> str:
    """The page with its table as it should be."""
    text = PAGE.read_text()
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: BEGIN + table() + END, text, flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page())

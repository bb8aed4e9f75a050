"""The two diagrams of docs/architecture.md, made from what they show. Run it to write them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from novum.core.engine.decide import STAGES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/architecture.md"


def layers(container: str) -> list[str]:
    """The layers of a package, uppermost first, from the contract that import-linter holds."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [one["layers"] for one in contracts if one.get("containers") == [container]]
    return [one.replace("|", "·") for one in found]


def house() -> str:
    """Every room on its floor; what is above may import what is below."""
    upper, inner = layers("novum"), layers("novum.core")
    lines = ["flowchart TD"]
    lines += [f'    floor{number}["{names}"]' for number, names in enumerate(upper) if names != "core"]
    core = upper.index("core")
    lines += [f'    subgraph floor{core}["core"]', "        direction TB"]
    lines += [f"        {' --> '.join(inner)}", "    end"]
    lines += ["    " + " --> ".join(f"floor{number}" for number in range(len(upper)))]
    return "\n".join(lines)


def loop() -> str:
    """The stages of a decision in their order, and what becomes of their events."""
    names = list(dict.fromkeys(f"{one.decide.__module__.rpartition('.')[2]}.{one.decide.__name__}" for one in STAGES))
    stages = "<br/>".join(f"{number}. {name}" for number, name in enumerate(names, 1))
    return "\n".join(
        [
            "flowchart LR",
            f'    decide["engine/decide.py, the first that has something to do:<br/>{stages}"]',
            "    decide -->|events| ledger",
            "    ledger -->|records| fold[state/fold.py]",
            "    fold -->|state| decide",
            "    ledger -->|GroupDispatched| executor",
            "    executor -->|TrialOutput| score[arena.score, in the lab]",
            "    score -->|TrialFinished| ledger",
        ]
    )


def written(page: str) -> str:
    """The page with both diagrams as they are today."""
    made = iter((house(), loop()))
    return re.sub(r"```mermaid\n.*?```", lambda _: f"```mermaid\n{next(made)}\n```", page, flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))

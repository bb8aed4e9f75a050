"""Error rates, power and cost of Novum's gate and of the rules of others, on synthetic campaigns (docs/trust.md).

python benchmarks/gate_calibration.py --campaigns 500           all rules, about 50 CPU seconds
python benchmarks/gate_calibration.py --only novum-0.10,ratchet --json
python benchmarks/gate_calibration.py --parts gamblers,arms,plans,small,intervals --campaigns 1000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from calibration import arms, intervals, plans, small_samples, worlds
from calibration.noise import NOISES
from calibration.registry import broken, methods
from calibration.runs import SHARES, Plan, rows
from calibration.table import plain_table, table

RULES = "rules"


def _parts(plan: Plan) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """What there is to measure beside the rules.

    gamblers: claims of the mean and of the typical gain where candidates lose much rarely; arms: shared runs of the
    incumbent; plans: budgets of a few confirmations; small: the test without a block of baseline runs; intervals.
    """
    size, seed, said = plan.campaigns, plan.seed, plan.said
    return {
        "gamblers": lambda: list(worlds.rows(size, plan.hypotheses, seed, said)),
        "arms": lambda: list(arms.rows(size, plan.hypotheses, seed, said)),
        "plans": lambda: list(plans.rows(20 * size, seed, said)),
        "small_power": lambda: list(small_samples.power_rows(20 * size, seed, said)),
        "small_nulls": lambda: list(small_samples.null_rows(20 * size, seed, said)),
        "intervals": lambda: list(intervals.rows(size, seed, said)),
    }


PARTS = (RULES, "gamblers", "arms", "plans", "small", "intervals")


class Parser(argparse.ArgumentParser):
    """Bad arguments get one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong."""
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """The command line."""
    made = Parser(prog="gate_calibration", description=(__doc__ or "").splitlines()[0])
    made.add_argument("--campaigns", type=_positive, default=500, help="campaigns in each cell (default: 500)")
    made.add_argument("--null-campaigns", type=_positive, help="in cells without true effects (default: as many)")
    made.add_argument("--hypotheses", type=_positive, default=200, help="in each campaign (default: 200)")
    made.add_argument("--seed", type=_natural, default=0, help="of all draws (default: 0)")
    made.add_argument("--only", metavar="NAMES", help="methods to run, comma-separated")
    made.add_argument("--noise", metavar="NAMES", help=f"of {', '.join(NOISES)} (default: all)")
    made.add_argument("--share", metavar="SHARES", help="shares of true effects, comma-separated (default: 0,.05,.20)")
    made.add_argument("--parts", metavar="NAMES", default=RULES, help=f"of {', '.join(PARTS)} (default: {RULES})")
    made.add_argument("--broken", action="store_true", help="run the gates broken on purpose as well")
    made.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print it."""
    started, line = time.process_time(), parser()
    given = line.parse_args(arguments)
    plan = _plan(line, given)
    wanted = _names(line, given.parts, dict.fromkeys(PARTS), "part")
    found = rows(plan) if RULES in wanted else []
    further = {name: run() for name, run in _parts(plan).items() if name.split("_")[0] in wanted}
    _progress("")
    spent = time.process_time() - started
    if given.json:
        print(json.dumps({"settings": _settings(plan), "rows": found, **further, "cpu_seconds": round(spent, 2)}))
        return
    texts = [table(found)] if found else []
    texts += [f"{name}\n{plain_table(part)}" for name, part in further.items()]
    print("\n\n".join(texts))
    print(f"\n{spent:.0f} CPU seconds; a seed is a pair of runs; ± is a Monte-Carlo standard error")


def _plan(line: Parser, given: argparse.Namespace) -> Plan:
    known = methods(given.hypotheses)
    every = known | broken(given.hypotheses)
    # A broken gate that is named needs no flag.
    offered = every if given.broken or given.only else known
    return Plan(
        {name: offered[name] for name in _names(line, given.only, offered, "method")},
        given.campaigns,
        given.null_campaigns or given.campaigns,
        given.hypotheses,
        given.seed,
        _names(line, given.noise, NOISES, "noise"),
        _shares(line, given.share),
        _progress,
    )


def _names(line: Parser, wanted: str | None, known: Mapping[str, Any], what: str) -> list[str]:
    names = list(known) if wanted is None else wanted.split(",")
    for name in names:
        if name not in known:
            line.error(f"no {what} {name!r}; there are: {', '.join(known)}")
    return list(dict.fromkeys(names))


def _shares(line: Parser, wanted: str | None) -> list[float]:
    try:
        shares = [float(share) for share in wanted.split(",")] if wanted else list(SHARES)
    except ValueError:
        shares = [-1.0]
    if not all(0 <= share <= 1 for share in shares):
        line.error(f"shares are numbers from 0 to 1, not {wanted!r}")
    return list(dict.fromkeys(shares))


def _settings(plan: Plan) -> dict[str, Any]:
    names = ("campaigns", "null_campaigns", "hypotheses", "seed", "noises", "shares")
    return {name: getattr(plan, name) for name in names} | {"methods": list(plan.methods)}


def _progress(text: str) -> None:
    """One line that overwrites itself, for someone who watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number above 0, not {text!r}")
    return int(text)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 on, not {text!r}")
    return int(text)


if __name__ == "__main__":
    main()

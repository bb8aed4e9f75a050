"""What does a decision cost, and what one that finds nothing to do? A coin-flip campaign, in memory, inline.

    python benchmarks/decisions.py --trials 3000 --json

CPU microseconds of `decide` by what it returned; the median over all decisions of the campaign, which is the same at
each run. `slots`: groups in flight at once, so that a decision finds most of them taken.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence

from novum.core.engine.context import Campaign
from novum.core.engine.loop import Lab
from novum.core.model.budget import Budget
from novum.core.model.study import Study
from novum.core.model.trial import GroupResult, TrialGroup
from novum.core.state.campaign_state import CampaignState
from novum.executors.inline import InlineExecutor
from novum.lab import open_campaign, wiring
from novum.ledger.memory_blobs import MemoryBlobs
from novum.testing.memory_ledger import MemoryLedger


class OneByOne:
    """An executor with several slots that gives its groups back one at a time, the oldest first."""

    def __init__(self, program: str, slots: int) -> None:
        self.slots = slots
        self._inner = InlineExecutor(program)
        self._waiting: list[TrialGroup] = []

    def submit(self, group: TrialGroup) -> None:
        self._waiting.append(group)

    def collect(self, timeout: float) -> Sequence[GroupResult]:  # noqa: ARG002
        if not self._waiting:
            return []
        self._inner.submit(self._waiting.pop(0))
        return self._inner.collect(0.0)


def measured(trials: int, slots: int) -> dict[str, float]:
    """One campaign, each decision timed."""
    study, budget = Study("decisions", "coinflip", executor="inline"), Budget(trials=trials)
    context, ledger, state = wiring.context(study, budget, bytes(32), slots), MemoryLedger(), CampaignState()
    open_campaign.take_up(state, ledger, context, budget)
    lab = Lab(Campaign(state, context), ledger, MemoryBlobs(), OneByOne(context.arena.spec.program, slots))
    empty, full, decide = [], [], lab.policy

    def timed(*now):
        began = time.process_time_ns()
        events = decide(*now)
        (full if events else empty).append((time.process_time_ns() - began) / 1000)
        return events

    lab.policy = timed
    lab.run()
    return {
        "trials": state.trials,
        "decisions": len(empty) + len(full),
        "empty": len(empty),
        "empty_us": round(statistics.median(empty), 2),
        "full_us": round(statistics.median(full), 2),
        "total_ms": round((sum(empty) + sum(full)) / 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = {f"{slots} slots": measured(chosen.trials, slots) for slots in (1, 4)}
    if chosen.json:
        print(json.dumps(found, indent=2))
        return
    for name, one in found.items():
        print(f"{name}: {one['empty']} of {one['decisions']} decisions found nothing, {one['empty_us']} us each; ")
        print(f"    others {one['full_us']} us; {one['total_ms']} ms in all for {one['trials']} trials")


if __name__ == "__main__":
    main()

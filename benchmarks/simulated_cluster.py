"""What does the lab do with a large cluster? The real engine in virtual time, its trials of nothing but noise.

    python benchmarks/simulated_cluster.py --slots 100,1000,10000 --json

For each number of slots: the share of the cluster's time that was used for outcomes once it was full (durations after a
Pareto law of infinite variance, 1 % of groups lost, machines preempted), the lab's own CPU milliseconds per trial,
and those of its decisions alone.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Sequence

from noop_arena import NoopArena

from novum.core.engine.context import Campaign
from novum.core.engine.loop import Lab
from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.study import FollowUpSettings, ScreeningSettings, Study
from novum.core.model.trial import OutcomeKind, TrialGroup, TrialOutput
from novum.core.state.campaign_state import CampaignState
from novum.lab import open_campaign, wiring
from novum.ledger.memory_blobs import MemoryBlobs
from novum.testing.memory_ledger import MemoryLedger
from novum.testing.simulated_cluster import ClusterLaw, SimulatedCluster

PER_MACHINE = 20


def outputs(group: TrialGroup) -> Sequence[TrialOutput]:
    """Two bytes of noise for each trial."""
    return [TrialOutput(one.id, random.Random(one.seed).randbytes(2)) for one in group.trials]


def _finished(ledger: MemoryLedger) -> list[TrialFinished]:
    return [one.event for one in ledger.read() if isinstance(one.event, TrialFinished)]


def measured(slots: int, rounds: int) -> dict[str, float]:
    """One campaign of about `rounds` trials for each slot."""
    law = ClusterLaw(machines=max(1, slots // PER_MACHINE), slots=min(slots, PER_MACHINE))
    cluster = SimulatedCluster(law, outputs)
    screening = ScreeningSettings(keep_one_in=4, waiting=cluster.slots)
    study = Study("cluster", "noop", screening=screening, follow_up=FollowUpSettings(share=0.0))
    context = wiring.context(study, Budget(trials=rounds * slots), bytes(32), cluster.slots, NoopArena())
    ledger, state = MemoryLedger(), CampaignState()
    open_campaign.take_up(state, ledger, context, Budget(trials=rounds * slots))
    lab = Lab(Campaign(state, context), ledger, MemoryBlobs(), cluster, clock=cluster.clock)
    decide, deciding = lab.policy, 0

    def timed(campaign: Campaign):
        nonlocal deciding
        began = time.process_time_ns()
        events = decide(campaign)
        deciding += time.process_time_ns() - began
        return events

    lab.policy = timed
    began, warm = time.process_time(), (0.0, 0.0)
    while lab.step():
        if state.trials < slots:
            warm = (cluster.busy_seconds - cluster.wasted_seconds, cluster.slot_seconds)
        elif state.trials > (rounds - 1) * slots:
            break
    seconds = time.process_time() - began
    ends = Counter((one.group, one.member) for one in _finished(ledger))
    return {
        "slots": slots,
        "trials": state.trials,
        "utilisation": (cluster.busy_seconds - cluster.wasted_seconds - warm[0]) / (cluster.slot_seconds - warm[1]),
        "lost": state.outcomes[OutcomeKind.LOST],
        "counted_twice": sum(count > 1 for count in ends.values()),
        "lab_ms_per_trial": 1000 * seconds / state.trials,
        "decision_ms_per_trial": deciding / 1e6 / state.trials,
        "virtual_seconds": cluster.now,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slots", default="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = [measured(int(slots), chosen.rounds) for slots in chosen.slots.split(",")]
    if chosen.json:
        print(json.dumps({"clusters": found}, indent=2))
        return
    for one in found:
        lost = f"{one['lost']} of {one['trials']} trials lost and run again, {one['counted_twice']} counted twice"
        ms = (
            f"{one['lab_ms_per_trial']:.2f} CPU ms a trial in the lab, {one['decision_ms_per_trial']:.2f} for decisions"
        )
        print(f"{one['slots']:6} slots: utilisation {one['utilisation']:.3f}; {ms}; {lost}")


if __name__ == "__main__":
    main()

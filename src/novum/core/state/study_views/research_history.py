"""The past as researchers see it: each hypothesis with what it cost and what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import overload

from novum.core.events.trials import TrialFinished
from novum.core.model.study_view import PastHypothesis
from novum.core.model.trial_plan import Side
from novum.core.model.verdict import Verdict
from novum.core.state.arm import arm_id, arm_of
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis

MEMORY = 64
"""How many past hypotheses a researcher is shown, the latest ones."""

LONG_MEMORY = 512
"""How many it may look back on."""


class ResearchHistory(Sequence[PastHypothesis]):
    """Hypotheses as researchers see them, oldest first; each is put together only if somebody looks."""

    def __init__(self, state: CampaignState, hypotheses: Sequence[Hypothesis]) -> None:
        self._hypotheses = hypotheses
        self._state = state
        self._known: dict[int, PastHypothesis] = {}

    def __len__(self) -> int:
        return len(self._hypotheses)

    @overload
    def __getitem__(self, index: int) -> PastHypothesis: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PastHypothesis]: ...

    def __getitem__(self, index: int | slice) -> PastHypothesis | Sequence[PastHypothesis]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        if index not in self._known:
            self._known[index] = past_hypothesis(self._state, self._hypotheses[index])
        return self._known[index]


def past_hypothesis(state: CampaignState, one: Hypothesis) -> PastHypothesis:
    """A hypothesis as researchers see it; one whose screening did not end counts as failed."""
    advantage = state.gain(one.candidate.id, state.incumbent.candidate.id)
    trials, cpu = cost(state, one)
    run = state.learning_curves.runs.get(one.candidate.id)
    return PastHypothesis(
        id=one.id,
        genome=one.candidate.genome,
        advantage=-math.inf if advantage is None else advantage,
        verdict=one.verdict.verdict if one.verdict else None,
        author=one.registered.author,
        trials=trials,
        cpu_seconds=cpu,
        gain=state.advantage(one),
        doubt=state.doubt(one),
        effect=effect(one),
        compute=state.compute_ratio(one.candidate.id, state.incumbent.candidate.id),
        remarks=state.remarks.get(one.candidate.id, ""),
        curve=run.curve if run else (),
        stopped=run is not None and run.score is None,
        others=state.sweep_others.get(one.candidate.id, {}),
        cost=one.registered.cost,
    )


def cost(state: CampaignState, one: Hypothesis) -> tuple[int, float]:
    """Trials and CPU seconds of a hypothesis: its sweep, its last confirmation and its follow-ups, both sides of each.

    A claim made anew against another incumbent did not pay for the sweep.
    """
    effort = None if state.is_renewed(one) else state.sweep_costs.get(one.candidate.id)
    runs = [run.cpu_seconds for run in _runs(one)]
    return (effort.trials if effort else 0) + len(runs), (effort.cpu_seconds if effort else 0.0) + sum(runs)


def _runs(one: Hypothesis) -> Iterator[TrialFinished]:
    for further in one.follow_ups:
        for side in further.runs.values():
            yield from side.values()
    yield from one.runs[Side.CANDIDATE].values()
    # The first member of an arm pays for the incumbent's runs.
    if one.rule is None or arm_of(one.rule) == arm_id(one.id, one.attempt):
        yield from one.runs[Side.INCUMBENT].values()


def effect(one: Hypothesis) -> float | None:
    """The confirmed gain of a finding on fresh pairs, 0 once it is retracted; None for anything else."""
    if one.verdict is None or one.verdict.verdict is not Verdict.SUPPORTED:
        return None
    if one.retracted:
        return 0.0
    return one.finding.effect if one.finding else None

"""The steward of the holdout: the one place where final data are read, and only to answer a query that was paid for.

Until the holdout closes, an answer is a yes or no (and a gain where the study's mechanism tells one); the evidence
behind it is written down at the closing. A query compares the models behind a finding with those of its incumbent,
example by example, each averaged over the fresh seeds that were run anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from novum.core.engine.artifact_store import fetch
from novum.core.engine.context import LabContext
from novum.core.events.event import Event
from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import HoldoutAnswered, HoldoutClosed, HoldoutDisclosure
from novum.core.model.errors import StudyError
from novum.core.model.ports import AnswersByExample, Blobs
from novum.core.model.trial import Role, Trial, TrialGroup
from novum.core.model.trial_plan import Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.gate.estimate import mean
from novum.gate.holdout_mechanisms import MECHANISMS, Answer, History, Query, warning

TrialOf = Callable[[TrialFinished], tuple[TrialGroup, Trial]]
"""The trial group and the trial, seed included, of a finished trial."""


@dataclass(frozen=True)
class Final:
    """The final data as a query sees them: who answers by example, and where artefacts are."""

    arena: AnswersByExample
    blobs: Blobs

    def differences(self, hypothesis: Hypothesis, trial_of: TrialOf, role: Role) -> list[float]:
        """Correctness of the candidate minus that of its incumbent on each example of a part, in [-1, 1]."""
        mine, other = (self._mean(hypothesis.runs[side], trial_of, role) for side in (Side.CANDIDATE, Side.INCUMBENT))
        return [one - two for one, two in zip(mine, other, strict=True)]

    def accuracy(self, hypothesis: Hypothesis, trial_of: TrialOf) -> float:
        """Mean correctness of the incumbent of a finding on the final data."""
        return mean(self._mean(hypothesis.runs[Side.INCUMBENT], trial_of, Role.FINAL))

    def _mean(self, runs: Mapping[int, TrialFinished], trial_of: TrialOf, role: Role) -> list[float]:
        rows = [
            self.arena.per_example(*trial_of(run), fetch(self.blobs, run.artefact), role)
            for _, run in sorted(runs.items())
            if run.score is not None and run.artefact is not None
        ]
        if not rows:
            raise StudyError("holdout: no run of one side gave a score, so nothing can be compared")
        return [mean(values) for values in zip(*rows, strict=True)]


def answer(
    final: Final, mechanism: str, question: Hypothesis, trial_of: TrialOf, query: Query, past: History
) -> Answer:
    """The answer to one query; `query` brings key and alpha, its differences are filled in here."""
    gate_gain = mean(final.differences(question, trial_of, Role.GATE)) if mechanism == "thresholdout" else None
    differences = final.differences(question, trial_of, Role.FINAL)
    return MECHANISMS[mechanism](replace(query, differences=differences, gate_gain=gate_gain), past)


@dataclass(frozen=True)
class LabHoldoutService:
    """The Steward port over an arena that answers by example."""

    context: LabContext
    blobs: Blobs

    def answers(self, state: CampaignState) -> Sequence[Event]:
        """See the port."""
        holdout = state.holdout
        if holdout.spent:
            told = tuple(self._told(state, number) for number in range(1, len(holdout.asked) + 1))
            return [HoldoutClosed(told, self.context.holdout_key().hex())]
        if holdout.opened is None or holdout.waiting is None:
            return []
        asked = holdout.waiting
        found = self._answer(state, asked.number)
        caution = self._caution(state, asked.number) if holdout.opened.mechanism == "naive" else ""
        return [HoldoutAnswered(asked.hypothesis, asked.number, found.held, found.reported, holdout.left, caution)]

    def _told(self, state: CampaignState, number: int) -> HoldoutDisclosure:
        found, asked = self._answer(state, number), state.holdout.asked[number - 1]
        return HoldoutDisclosure(asked.hypothesis, found.held, found.e_value, found.threshold, found.reported)

    def _answer(self, state: CampaignState, number: int) -> Answer:
        opened = state.holdout.opened
        assert opened
        query = Query((0.0, 0.0), self.context.holdout_key(), alpha=opened.alpha)
        question = state.hypotheses[state.holdout.asked[number - 1].hypothesis]
        return answer(self._final, opened.mechanism, question, self._trial_of(state), query, history(state, number))

    def _caution(self, state: CampaignState, number: int) -> str:
        """By how much naive reuse overstates by now, from the answers that changed in this query."""
        question = state.hypotheses[state.holdout.asked[number - 1].hypothesis]
        changed = self._final.differences(question, self._trial_of(state), Role.FINAL)
        accuracy = min(0.99, max(0.01, self._final.accuracy(question, self._trial_of(state))))
        churn = min(mean([abs(one) for one in changed]), 2 * min(accuracy, 1 - accuracy))
        return warning(len(changed), number, churn, accuracy)

    @property
    def _final(self) -> Final:
        return Final(cast(AnswersByExample, self.context.arena), self.blobs)

    def _trial_of(self, state: CampaignState) -> TrialOf:
        def find(run: TrialFinished) -> tuple[TrialGroup, Trial]:
            group = self.context.group(state.plan(run.group))
            return group, group.trials[run.member]

        return find


def history(state: CampaignState, number: int) -> History:
    """The answers before query `number`."""
    before = [state.holdout.answers[one.hypothesis].held for one in state.holdout.asked[: number - 1]]
    return History(len(before), sum(before))

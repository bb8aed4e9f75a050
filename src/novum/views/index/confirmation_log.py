"""Every confirmation of a campaign, with the pairs that its verdict was reached on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from novum.core.events.event import Record
from novum.core.events.verdicts import ConfirmationOpened, FollowUpClosed, FollowUpOpened, VerdictReached
from novum.core.model.verdict import Pair
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.gate.judge import difference, support_path


@dataclass
class Confirmation:
    """One confirmation: its rule, its pairs up to the verdict, and the verdict (None while it is open)."""

    rule: ConfirmationOpened
    opened: int
    pairs: list[Pair] = field(default_factory=list)
    verdict: VerdictReached | None = None
    closed: int = 0
    """This and `opened`: microseconds since the epoch, 0 for not yet."""

    @property
    def path(self) -> tuple[float, ...]:
        """The e-value after 0, 1, 2 ... pairs, computed again from the raw outcomes and not copied from the verdict."""
        gains = [difference(pair, self.rule) for pair in self.pairs]
        return tuple(support_path(self.rule, gains))

    @property
    def outcome(self) -> str:
        """supported, refuted, inconclusive, or open."""
        return str(self.verdict.verdict) if self.verdict else "open"

    @property
    def threshold(self) -> float:
        """What E was held against at the end, or at the opening while there is no end."""
        return self.verdict.threshold if self.verdict else self.rule.threshold


class ConfirmationLog:
    """Confirmations by hypothesis and attempt; when follow-ups were opened and closed, by the same key."""

    def __init__(self, state: CampaignState) -> None:
        self._state = state
        self._known: dict[tuple[str, int], Confirmation] = {}
        self.follow_ups: dict[tuple[str, int], tuple[int, int]] = {}

    def judge(self, event: VerdictReached, time: int) -> None:
        """Before the state folds a verdict: the pairs are still those that it was reached on."""
        one = self._known[event.hypothesis, event.attempt]
        one.pairs = self._state.hypotheses[event.hypothesis].pairs()[: event.pairs]
        one.verdict, one.closed = event, time

    def take(self, record: Record) -> None:
        """One more record, which the state has folded."""
        event = record.event
        if isinstance(event, ConfirmationOpened):
            self._known[event.hypothesis, event.attempt] = Confirmation(event, record.time)
        elif isinstance(event, FollowUpOpened):
            self.follow_ups[event.hypothesis, event.rule.attempt] = record.time, 0
        elif isinstance(event, FollowUpClosed):
            key = event.hypothesis, event.attempt
            self.follow_ups[key] = self.follow_ups[key][0], record.time

    def get(self, hypothesis: str, attempt: int) -> Confirmation:
        """One of them. Raises KeyError."""
        return self._known[hypothesis, attempt]

    def all(self) -> Iterator[Confirmation]:
        """All of them in the order of their opening; one that is open has the pairs of the state by now."""
        for (name, attempt), one in self._known.items():
            hypothesis = self._state.hypotheses[name]
            if one.verdict is None and hypothesis.attempt == attempt:
                one.pairs = hypothesis.pairs()
            yield one

    def of(self, hypothesis: Hypothesis) -> list[Confirmation]:
        """Those of a hypothesis, in order."""
        found = [self._known[hypothesis.id, n] for n in range(1, hypothesis.attempt + 1)]
        if found and found[-1].verdict is None:
            found[-1].pairs = hypothesis.pairs()
        return found

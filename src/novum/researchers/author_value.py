"""What each author's hypotheses have given for what they cost: draws from the posterior of that ratio.

A Bayesian bootstrap (Rubin 1981): each hypothesis gets a random exponential weight, and the ratio of the weighted sums
of gains and costs is one draw. It needs no shape for gains, which are mostly zero and now and then large.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from novum.core.model.study_view import PastHypothesis
from novum.core.model.verdict import Verdict
from novum.core.state.interventions import member

SCREENED = 0.25
"""Worth of a gain that only screening has seen, next to a confirmed one of the same size."""


DOUBTS = 2.0
"""Standard errors that are taken off it: most of what screening sees of a hypothesis without effect is less."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Gain and cost of one hypothesis, with the weight that its age leaves it."""

    gain: float
    cost: float
    weight: float


@dataclass
class Books:
    """The deeds of each author, and of all of them together."""

    of: dict[str, list[Deed]] = field(default_factory=dict)

    @property
    def usual_cost(self) -> float:
        """The mean cost of a hypothesis, whoever had it."""
        return self._mean([(deed.cost, deed.weight) for author_stats in self.of.values() for deed in author_stats])

    @property
    def usual_gain(self) -> float:
        """The mean gain of a hypothesis, whoever had it."""
        return self._mean([(deed.gain, deed.weight) for author_stats in self.of.values() for deed in author_stats])

    @staticmethod
    def _mean(values: list[tuple[float, float]]) -> float:
        return sum(value * weight for value, weight in values) / (sum(weight for _, weight in values) or 1.0)

    def draw(self, author: str, rng: random.Random) -> float:
        """Gain per cost in one draw.

        An imagined hypothesis of the usual cost, and of more or less than the usual gain, stands for what is not known:
        it is all there is of somebody new.
        """
        gain, cost = rng.expovariate(1.0) * self.usual_gain, self.usual_cost or 1.0
        for deed in self.of.get(author, ()):
            weight = rng.expovariate(1.0) * deed.weight
            gain, cost = gain + weight * deed.gain, cost + weight * deed.cost
        return gain / cost if cost > 0 else 0.0


def books(past: Iterable[PastHypothesis], authors: Iterable[str], *, half_life: float, by_trials: bool) -> Books:
    """The books of `authors`. half_life: hypotheses after which a deed counts for half."""
    kept: dict[str, list[Deed]] = {author: [] for author in authors}
    for age, one in enumerate(reversed(list(past))):
        if (author := member(one.author)) in kept:
            cost = float(one.trials) if by_trials else one.cpu_seconds
            kept[author].append(Deed(worth(one), cost, 0.5 ** (age / half_life)))
    return Books(kept)


def worth(one: PastHypothesis) -> float:
    """What a hypothesis has given: its confirmed gain, else what is left of its screening gain without the noise.

    A refuted or inconclusive one has given nothing, whatever screening had promised.
    """
    if one.effect is not None:
        return max(0.0, one.effect)
    if one.verdict not in (None, Verdict.SUPPORTED) or one.gain is None or one.gain <= 0:
        return 0.0
    sure = max(0.0, one.gain - DOUBTS * one.doubt)
    share = 1.0 if one.verdict is Verdict.SUPPORTED else SCREENED
    return share * sure if math.isfinite(sure) else 0.0

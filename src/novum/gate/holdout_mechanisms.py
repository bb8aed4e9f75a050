"""How a fixed holdout answers: rules for asking the same n labelled examples again and again. Pure.

Query k asks whether candidate X_k beats incumbent B_k by more than delta. d_i in [-1, 1] is the correctness of X on
example i minus that of B, or the mean of this over several seeds: the claim is about these trained models, and a null
query is one with E[d] <= delta in the population. `coarse` has a guarantee, the other rules are there to be compared.

**Coarse.** In an order pi that no data have touched, with y_i = (d_i - delta) / (1 + delta) and fixed bets b,

    E_i = mean over b of product over j <= i of (1 + b y_pi(j))
    yes when some E_i >= T_k(r) = k C(k-1, r) k (k+1) / alpha,    r = yes answers among the k - 1 before

*Assumed.* (a) The examples are independent draws from the population; examples that belong together, such as passages
of one text, are averaged into one difference. (b) Training data, search data, seeds and the proposer's own chance are
independent of them. (c) X_k and B_k are fixed before query k, and of the holdout the proposer has seen the yes or no
of earlier queries, of all campaigns, and nothing else: no e-value, no score.

*Claim.* P(any yes to a null query, over the whole life of the holdout) <= alpha.

*Proof.* Condition on everything in (b). By (c), query k is a function of the k - 1 answers before it, so all queries
that could ever be put form a binary tree that was fixed before the examples were drawn, and so is which of them are
null. At a null node of the tree the y_pi(j) are independent draws from [-1, 1] with mean at most 0; as 0 < b < 1, each
product, hence E, is a non-negative supermartingale from 1, and P(some E_i >= T) <= 1/T (Ville). A false yes is such an
event at a null node, reached or not, so its probability is at most the sum of 1/T over all nodes. There are C(k-1, r)
nodes with k - 1 answers before them and r times yes among these; they add alpha / (k k (k+1)), the k values of r add
alpha / (k (k+1)), and all k together add alpha. When to ask, and when to stop asking, is free.

*Bets.* The mixture above, stopped at T, finds more than the adaptive bet of :mod:`novum.gate.eprocess` (at n = 1000:
.77 against .67 for a gain of .02 where 4 % of the answers change, T = 20; .86 against .77 for .05 of 10 %, T = 2000),
which begins too high where few answers change; it finds less only where about twenty or fewer change at all. Stopping
finds up to .12 more than the last E.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist

from novum.core.model import seeds
from novum.core.model.errors import StudyError
from novum.gate.eprocess import Bound, clipped
from novum.gate.estimate import mean

DEFAULT = "coarse"
LARGEST_BET = 0.9
BET_RATIO = 1.5
SMALLEST_BET = 3.0
"""In units of 1/sqrt(n): smaller bets serve gains that n examples cannot show."""

TOLERANCE = 1.0
"""T of Thresholdout in units of 1/sqrt(n): four standard errors of a gain when one answer in sixteen changes."""
NOISE_SHARE = 1 / 16
"""sigma over T: a gap of 0 then passes T + Laplace(4 sigma) in one query of a hundred (half of exp(-4))."""

LARGEST_E = 1e300
"""Larger evidence is cut here, and thresholds beyond it are out of reach: both stay numbers."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question to the holdout. Raises StudyError where it does not fit."""

    differences: Sequence[float]
    """d_i in [-1, 1], one for each example, in the holdout's own fixed sequence; at least two."""
    key: bytes = field(repr=False)
    """Chosen when the holdout was set aside, the same for all its queries; fixes the order and the noise."""
    gate_gain: float | None = None
    """Mean difference on the gate split, for thresholdout."""
    delta: float = 0.0
    """Gain that must be exceeded, in [0, 1)."""
    alpha: float = 0.10
    """Bound of `coarse` over the life of the holdout, the same for all its queries."""

    def __post_init__(self) -> None:
        if len(self.differences) < 2:
            raise StudyError(f"holdout: a query needs at least two examples, not {len(self.differences)}")
        odd = next((d for d in self.differences if not -1 <= d <= 1), None)
        if odd is not None:
            raise StudyError(f"holdout: a difference of correctness lies in [-1, 1], not at {odd}")
        if self.gate_gain is not None and not -1 <= self.gate_gain <= 1:
            raise StudyError(f"holdout: the gain on the gate split lies in [-1, 1], not at {self.gate_gain}")
        if not (0 <= self.delta < 1 and 0 < self.alpha < 1):
            raise StudyError(f"holdout: delta is in [0, 1) and alpha in (0, 1), not {self.delta} and {self.alpha}")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a holdout query.

    e_value and threshold are for the record: where the proposer sees the e-value, the guarantee of `coarse` is lost.
    """

    held: bool
    """The yes or no."""
    e_value: float | None
    threshold: float | None
    reported: float | None
    """The gain that may be told with it, None where nothing else may be."""


@dataclass(frozen=True, slots=True)
class History:
    """Queries answered so far by this holdout, in all campaigns together, and the yes answers among them."""

    queries: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.held <= self.queries:
            raise StudyError(f"holdout: {self.held} yes answers to {self.queries} queries cannot be")

    def after(self, answer: Answer) -> History:
        """The history with one more answer."""
        return History(self.queries + 1, self.held + answer.held)


Mechanism = Callable[[Query, History], Answer]


def coarse(query: Query, history: History) -> Answer:
    """Yes or no, and nothing else: P(any false yes) <= alpha for any proposer (proof above).

    e_value: E at the first example where it reached the threshold, else at the last.
    """
    bar = threshold(history.queries + 1, history.held, query.alpha)
    n = len(query.differences)
    found = evidence([query.differences[i] for i in order(query.key, n)], query.delta, bets(n), bar)
    return Answer(found >= bar, found, bar, None)


def ladder(query: Query, history: History) -> Answer:  # noqa: ARG001 one shape for all rules
    """The parameter-free Ladder (Blum and Hardt, ICML 2015, arXiv 1502.04585): a gain counts above one standard error.

    B must be the best that the ladder has let pass. reported: the gain rounded to 1/n; 0 where the best stays.
    """
    n, gain = len(query.differences), mean(query.differences)
    sd = math.sqrt(math.fsum((d - gain) ** 2 for d in query.differences) / (n - 1))
    held = gain - query.delta > sd / math.sqrt(n)
    return Answer(held, None, None, round(gain * n) / n if held else 0.0)


def thresholdout(query: Query, history: History, tolerance: float | None = None, sigma: float | None = None) -> Answer:
    """Thresholdout (Dwork et al., Science 349, 2015): the gain on the gate split while the holdout agrees with it.

    Where the two differ by more than tolerance + Laplace(4 sigma), the holdout's gain + Laplace(sigma) is told instead.
    tolerance, sigma: in units of gain; by default TOLERANCE / sqrt(n) and NOISE_SHARE of that. The authors also blur
    the tolerance itself, until the next disagreement, and end after a number of disagreements: without that, and with a
    few thousand examples, their theorem promises nothing here. Raises StudyError without a gain on the gate split.
    """
    if query.gate_gain is None:
        raise StudyError("holdout: thresholdout compares with the gate split: give the gain there")
    width = TOLERANCE / math.sqrt(len(query.differences)) if tolerance is None else tolerance
    scale = width * NOISE_SHARE if sigma is None else sigma
    key = seeds.Keyring(query.key).key(f"noise:{history.queries + 1}")
    gain = mean(query.differences)
    agrees = abs(query.gate_gain - gain) <= width + 4 * scale * _laplace(key, 0)
    told = query.gate_gain if agrees else gain + scale * _laplace(key, 1)
    return Answer(told > query.delta, None, None, told)


def naive(query: Query, history: History) -> Answer:  # noqa: ARG001 one shape for all rules
    """Keep if better, and tell the score: what is done where nobody counts (see :func:`expected_inflation`)."""
    gain = mean(query.differences)
    return Answer(gain > query.delta, None, None, gain)


MECHANISMS: Mapping[str, Mechanism] = {
    "coarse": coarse,
    "ladder": ladder,
    "thresholdout": thresholdout,
    "naive": naive,
}
"""The rules by name."""


def threshold(number: int, held: int, alpha: float) -> float:
    """T_k(r) = k C(k-1, r) k (k+1) / alpha for query `number` k >= 1 after `held` r < k yes answers."""
    try:
        return min(number * number * (number + 1) * math.comb(number - 1, held) / alpha, sys.float_info.max)
    except OverflowError:
        return sys.float_info.max


def bets(n: int) -> tuple[float, ...]:
    """The bets of the mixture for n examples: .9, .6, .4, ... down to 3/sqrt(n); at least one."""
    count = 1 + int(math.log(max(1.0, LARGEST_BET * math.sqrt(n) / SMALLEST_BET)) / math.log(BET_RATIO) + 1e-9)
    return tuple(LARGEST_BET / BET_RATIO**i for i in range(count))


def evidence(differences: Iterable[float], delta: float, stakes: Sequence[float], goal: float = math.inf) -> float:
    """E at the first difference at which it reaches `goal` > 1, else at the last: an e-value for E[d] <= delta."""
    products, e, goal = [1.0] * len(stakes), 1.0, min(goal, LARGEST_E)
    bound = Bound(delta, 1.0 + delta)
    for difference in differences:
        y = clipped(difference, bound)
        if y == 0.0:
            continue
        products = [product * (1.0 + stake * y) for product, stake in zip(products, stakes, strict=True)]
        e = math.fsum(products) / len(stakes)
        if e >= goal:
            break
    return min(e, LARGEST_E)


@lru_cache(maxsize=16)
def order(key: bytes, n: int) -> tuple[int, ...]:
    """The sequence in which n examples are read: a permutation of range(n) that follows from the key alone."""
    own = seeds.Keyring(key).key("order")
    return tuple(sorted(range(n), key=lambda i: seeds.seed(own, i)))


def _laplace(key: bytes, index: int) -> float:
    """A Laplace draw of scale 1: the quantile of seed `index` of the key."""
    u = (seeds.seed(key, index) + 0.5) / 2 ** (8 * seeds.SEED_BYTES) - 0.5
    return -math.copysign(math.log(1.0 - 2.0 * abs(u)), u)


def expected_inflation(n: int, queries: int, churn: float, accuracy: float = 0.5) -> float:
    """By how much naive queries overstate the best when changes worth nothing are kept if they look better.

    churn: share of answers that a change turns from right to wrong or back; accuracy: of the start. In accuracy, in
    [0, 1]. With b overstated so far, a change that is worth nothing gains N(-p b, s^2) on the holdout, where
    p = churn / (2 a (1 - a)), because it redraws part of the lucky answers, and s^2 = (churn - churn p / 2) / n. The
    mean of the positive part of this is what the next query adds, from b = 0: about .4 s for each of the first.
    Derived here; against simulated climbs it is right to a tenth where n churn >= 40 and a <= .6, and up to a sixth
    off at a = .9. With fewer changes (n churn = 5) it says too much, most of all when b nears 1 - a.
    """
    if n < 1 or queries < 0 or not 0 < accuracy < 1 or not 0 <= churn <= 2 * min(accuracy, 1 - accuracy):
        raise StudyError(
            f"holdout: no climb of {queries} queries on {n} examples changes {churn} of them at accuracy {accuracy}"
        )
    pull, normal, total = churn / (2 * accuracy * (1 - accuracy)), NormalDist(), 0.0
    spread = math.sqrt(churn * max(0.0, 1 - pull / 2) / n)
    for _ in range(queries if spread > 0 else 0):
        z = pull * total / spread
        total += spread * (normal.pdf(z) - z * normal.cdf(-z))
    return min(total, 1 - accuracy)


def warning(n: int, queries: int, churn: float, accuracy: float = 0.5) -> str:
    """What :func:`expected_inflation` means, in one sentence."""
    points = 100 * expected_inflation(n, queries, churn, accuracy)
    asked = (
        "1 naive query of {n} examples overstates" if queries == 1 else "{k} naive queries of {n} examples overstate"
    )
    worth = f"if what they change ({churn:.0%} of the answers) is worth nothing"
    return f"{asked.format(k=queries, n=n)} the best by about {points:.1f} points, {worth}"

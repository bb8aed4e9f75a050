"""How far the code researcher comes in sixty proposals, on programs that are evaluated here and at once."""

from __future__ import annotations

import gc
import math
import random
import signal
import warnings
from collections.abc import Callable

import pytest

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Candidate
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.researchers.code import CodeResearcher
from novum.source.space import SourceSpace

SPEC = ArenaSpec("programs", "", "score", True, 0.001, "none", 1, ({},), {})

MINIMISE = '''\
"""Minimises a bumpy function of two variables by random search."""

import math
import random


# EVOLVE-BLOCK-START
def search(seed, trials=200, low=-5.0, high=5.0):
    """The best of uniformly drawn points: (x, y)."""
    rng = random.Random(seed)
    best_x = rng.uniform(low, high)
    best_y = rng.uniform(low, high)
    best_value = evaluate(best_x, best_y)
    for _ in range(trials):
        x = rng.uniform(low, high)
        y = rng.uniform(low, high)
        value = evaluate(x, y)
        if value < best_value:
            best_value = value
            best_x, best_y = x, y
    return best_x, best_y


# EVOLVE-BLOCK-END


def evaluate(x, y):
    """The function to minimise."""
    return math.sin(x) * math.cos(y) + math.sin(x * y) + (x * x + y * y) / 20
'''
LOWEST = -1.5186756
EVALUATIONS = 1000

DIGITS = '''\
"""Recognises handwritten digits from a few labelled images."""

import numpy as np
from sklearn.neighbors import NearestCentroid


# EVOLVE-BLOCK-START
def make():
    """The classifier."""
    return NearestCentroid()


def features(images):
    """What the classifier sees of the images."""
    return np.floor(images / 6.0)


# EVOLVE-BLOCK-END


def accuracy(images, labels, order, learn=100):
    """Share of correct answers on images that were not learnt from."""
    first, rest = order[:learn], order[learn:]
    model = make().fit(features(images[first]), labels[first])
    return float(np.mean(model.predict(features(images[rest])) == labels[rest]))
'''


class _TooLongError(Exception):
    """The stand-in for a trial's limit."""


def _stop(*_):
    raise _TooLongError


def digits_of_precision(text: str) -> float:
    """Decimal digits of the minimum that are right, over ten seeds; a search may ask EVALUATIONS times."""
    names: dict = {}
    exec(compile(text, "solver.py", "exec"), names)
    function, asked = names["evaluate"], [0]

    def evaluate(x, y):
        asked[0] += 1
        if asked[0] > EVALUATIONS:
            raise _TooLongError
        return function(x, y)

    names["evaluate"], total = evaluate, 0.0
    for seed in range(10):
        asked[0] = 0
        x, y = names["search"](seed)
        if not max(abs(x), abs(y)) <= 5:
            raise ValueError("outside the box")
        total += -math.log10(max(1e-8, function(x, y) - LOWEST))
    return total / 10


def measured(score: Callable[[str], float], text: str) -> float:
    """The score of a program within half a second of CPU time; minus infinity when it fails."""
    gc.disable()  # what is raised inside a callback of the collector reaches nobody
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return score(text)
    except Exception:
        return float("-inf")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        gc.enable()


def climb(space: SourceSpace, score: Callable[[str], float], length: int, seed: int) -> tuple[float, float]:
    """(score of the base, best score) of a campaign without a lab."""
    path = next(iter(space.base))
    base = best = measured(score, space.base[path])
    tried: list[PastHypothesis] = []
    known = {Candidate({}).id}
    for number in range(1, length + 1):
        seen = StudyView(SPEC, space, number, {}, tuple(tried[-64:]), frozenset(known))
        proposal = CodeResearcher().propose(seen, random.Random(f"{seed}:{number}"))
        gain = measured(score, space.complete(proposal.genome)[path]) - base
        best = max(best, base + gain)
        known.add(Candidate(proposal.genome).id)
        tried.append(PastHypothesis(f"h{number}", proposal.genome, gain, None))
    return base, best


@pytest.mark.parametrize("seed", range(2))
def test_a_random_search_becomes_a_local_one(seed):
    base, best = climb(SourceSpace({"solver.py": MINIMISE}), digits_of_precision, 60, seed)
    assert base < 1.1
    assert best > 4  # a thousand times closer


def test_a_poor_classifier_becomes_a_good_one():
    datasets = pytest.importorskip("sklearn.datasets")
    numpy = pytest.importorskip("numpy")
    images, labels = datasets.load_digits(return_X_y=True)
    images, labels = images[:500], labels[:500]
    orders = [numpy.random.default_rng(number).permutation(len(labels)) for number in range(2)]

    def accuracy(text: str) -> float:
        names: dict = {}
        exec(compile(text, "digits.py", "exec"), names)
        return sum(names["accuracy"](images, labels, order) for order in orders) / len(orders)

    base, best = climb(SourceSpace({"digits.py": DIGITS}), accuracy, 60, seed=0)
    assert best > base + 0.04

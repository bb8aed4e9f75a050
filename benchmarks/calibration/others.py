"""Rules that others accept changes by, on the same streams. Pairs are paired re-runs unless a rule says otherwise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from calibration.noise import Flags, Floats
from calibration.stream import Record, Stream


def _each(stream: Stream, count: int, keep: Callable[[Floats], Flags]) -> Record:
    """Judge each hypothesis by its first `count` pairs (axes: pair, campaign); the claim is their mean."""
    for j in range(stream.hypotheses):
        stream.propose(j)
        seen = stream.pairs(j, count)
        stream.learn(j, keep(seen), seen.mean(axis=0), count)
    return stream.record


def _t(seen: Floats) -> Floats:
    """Student's t of the mean; 0 where all pairs tie."""
    spread = seen.std(axis=0, ddof=1)
    mean = seen.mean(axis=0)
    t: Floats = mean / np.where(spread > 0, spread, np.where(mean > 0, 1e-12, np.inf)) * math.sqrt(len(seen))
    return t


@dataclass(frozen=True)
class MeanAbove:
    """Keep if the mean of some paired re-runs is above zero: 1 pair is keep-if-better, 3 best of three."""

    count: int

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        return _each(stream, self.count, lambda seen: seen.mean(axis=0) > 0)


@dataclass(frozen=True)
class Ratchet:
    """Keep if one run beats the best score on record (autoresearch); the incumbent is not run again.

    The record starts with one run of the baseline. The claim is the rise of the record.
    """

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        noise = stream.drawn.noise
        level, best = np.zeros(stream.campaigns), stream.drawn.start
        for j in range(stream.hypotheses):
            effect = stream.propose(j)
            score = noise.rounded(level + effect + stream.drawn.runs[j])
            kept = score > best
            stream.learn(j, kept, score - best, 0.5)
            level, best = np.where(kept, level + effect, level), np.where(kept, score, best)
        return stream.record


@dataclass(frozen=True)
class TTest:
    """One-sided paired t test with a fixed number of pairs, at alpha each or, with Bonferroni, at alpha in all."""

    count: int
    alpha: float = 0.05
    bonferroni: bool = False

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        level = self.alpha / stream.hypotheses if self.bonferroni else self.alpha
        limit = stats.t.isf(level, self.count - 1)
        return _each(stream, self.count, lambda seen: _t(seen) >= limit)


@dataclass(frozen=True)
class BenjaminiHochberg:
    """Offline: decides only when all p-values of the campaign are in, so the proposer learns nothing meanwhile."""

    count: int
    alpha: float = 0.05

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        values = np.ones((stream.hypotheses, stream.campaigns))
        means = np.zeros(values.shape)
        for j in range(stream.hypotheses):
            stream.propose(j)
            seen = stream.pairs(j, self.count)
            values[j], means[j] = stats.t.sf(_t(seen), self.count - 1), seen.mean(axis=0)
        ranked = np.sort(values, axis=0)
        ranks = np.arange(1, len(values) + 1)[:, None]
        passed = ranked <= self.alpha * ranks / len(values)
        limit = np.where(passed, ranked, -1.0).max(axis=0)
        accepted = values <= limit
        for j in range(stream.hypotheses):
            stream.learn(j, accepted[j], means[j], self.count)
        return stream.record


@dataclass(frozen=True)
class Bootstrap:
    """Paired bootstrap on a few repeats, as one tool does it: some 20 % false keeps at 3.

    Keeps if at least `confidence` of all resamples have a mean above zero; all of them are enumerated, so there is no
    bootstrap noise.
    """

    count: int = 3
    confidence: float = 0.80

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        resamples = np.array(list(itertools.product(range(self.count), repeat=self.count)))
        weights = np.stack([(resamples == i).sum(axis=1) for i in range(self.count)], axis=1) / self.count
        return _each(stream, self.count, lambda seen: ((weights @ seen) > 0).mean(axis=0) >= self.confidence)

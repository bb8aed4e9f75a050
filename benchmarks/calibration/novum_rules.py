"""Novum's own rules: the gate on every hypothesis, and the gate behind a screening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from calibration.noise import Floats
from calibration.stream import CHEAP_SEEDS, Integers, Record, Stream
from calibration.vector_gate import Draw, Ends, Purse, confirm
from novum.core.model.study import GateSettings


class Method(Protocol):
    """A rule of acceptance: decides a whole stream and hands back the record of it."""

    def __call__(self, stream: Stream) -> Record: ...


def real_pairs(stream: Stream, hypothesis: Integers | int) -> Draw:
    """Pairs of a hypothesis, candidate and incumbent both run afresh on each seed."""
    if isinstance(hypothesis, int):
        return lambda n, who: (stream.observe(hypothesis, n, who), stream.failed(hypothesis, n, who))
    return lambda n, who: (stream.observe(hypothesis[who], n, who), stream.failed(hypothesis[who], n, who))


def settle(stream: Stream, purse: Purse, hypothesis: Integers | int, draw: Draw) -> Ends:
    """Open, run and close one confirmation in each campaign."""
    stake = purse.open()
    ends = confirm(purse.settings, draw, stream.drawn.sigma, purse.bar(stake))
    accepted = purse.close(stake, ends)
    stream.learn(hypothesis, accepted, ends.mean, ends.pairs)
    stream.record.evidence[hypothesis, stream.everyone] = ends.e_value
    return ends


@dataclass(frozen=True)
class Gate:
    """Every hypothesis goes to a confirmation."""

    settings: GateSettings

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        purse = Purse(self.settings, stream.campaigns)
        stream.record.failure = self.settings.delta - self.settings.clip * stream.drawn.sigma
        for j in range(stream.hypotheses):
            stream.propose(j)
            settle(stream, purse, j, real_pairs(stream, j))
        return stream.record


@dataclass(frozen=True)
class Screened:
    """Successive halving on cheap seeds, then the gate on fresh ones: of `batch` candidates `keep` are confirmed.

    Each candidate gets one seed and the better half a second one; a cheap seed costs as much as a pair. With `rounds`
    above 2 the survivors get further cheap seeds at once. `reuse` puts the cheap pairs first in the confirmation, which
    is invalid.
    """

    settings: GateSettings
    batch: int = 8
    keep: int = 2
    rounds: int = 2
    reuse: bool = False

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        purse = Purse(self.settings, stream.campaigns)
        stream.record.failure = self.settings.delta - self.settings.clip * stream.drawn.sigma
        for first in range(0, stream.hypotheses, self.batch):
            batch = range(first, min(first + self.batch, stream.hypotheses))
            for j in batch:
                stream.propose(j)
            for chosen in self._screen(stream, np.array(batch)):
                draw = real_pairs(stream, chosen)
                settle(stream, purse, chosen, self._reusing(stream, chosen, draw) if self.reuse else draw)
        return stream.record

    def _screen(self, stream: Stream, batch: Integers) -> Integers:
        """Hypotheses that survive, best first. Axes: rank, campaign."""
        who = stream.everyone
        field = np.repeat(batch[:, None], stream.campaigns, axis=1)
        total = np.zeros(field.shape)
        for seed in range(self.rounds):
            total = total + _cheap(stream, field, seed, who)
            stream.record.pairs[field, who] += 1
            half = max(self.keep, len(batch) // 2)
            left = half if seed == 0 and self.rounds > 1 else len(field)
            if seed == self.rounds - 1:
                left = self.keep
            order = np.argsort(-total, axis=0, kind="stable")[:left]
            field, total = np.take_along_axis(field, order, 0), np.take_along_axis(total, order, 0)
        return field

    def _reusing(self, stream: Stream, chosen: Integers, draw: Draw) -> Draw:
        def again(n: int, who: Integers) -> tuple[Floats, None]:
            """The screening seeds once more, then fresh ones."""
            if n < self.rounds:
                return _cheap(stream, chosen[who], n, who), None
            return draw(n - self.rounds, who)[0], None

        return again


def _cheap(stream: Stream, hypothesis: Integers, seed: int, who: Integers) -> Floats:
    """D of a screening pair."""
    return stream.observe(hypothesis, stream.drawn.mine.shape[1] - CHEAP_SEEDS + seed, who)

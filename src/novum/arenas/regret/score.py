"""The trusted score: games are made again from the trial's seed; a worker's average strategies are all that it gives.

An artefact is the strategies as little-endian doubles, game after game, (information sets, moves) each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from novum.arenas.regret.exploitability import exploitability
from novum.arenas.regret.games import played
from novum.arenas.regret.options import Options
from novum.arenas.regret.tree import Floats, Game
from novum.core.model.trial import ArtefactError, Role

LEAST = 1e-6
"""Of the span of payoffs: below, an equilibrium counts as reached.

Many random games have one in pure strategies, which fast rules reach to rounding: the mean would be about these alone.
"""


def score(options: Options, role: Role, seed: int, artefact: bytes) -> list[float]:
    """Relative exploitability in each game. Raises ArtefactError."""
    games = played(options, role, seed)
    sizes = [one.legal.size for one in games]
    if not isinstance(artefact, bytes) or len(artefact) != 8 * sum(sizes):
        raise ArtefactError(f"the artefact must be {sum(sizes)} doubles, a strategy for each game")
    parts = np.split(np.frombuffer(artefact, "<f8"), np.cumsum(sizes)[:-1])
    strategies = [part.reshape(game.legal.shape) for part, game in zip(parts, games, strict=True)]
    for strategy, game in zip(strategies, games, strict=True):
        _hold(strategy, game)
    if options.shuffled:
        strategies = [_drawn(seed, game) for game in games]
    return [relative(game, strategy) for game, strategy in zip(games, strategies, strict=True)]


def relative(game: Game, strategy: Floats) -> float:
    """Exploitability over the span of payoffs, at least LEAST."""
    return max(LEAST, exploitability(game, strategy) / game.span)


def geometric(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def _hold(strategy: Floats, game: Game) -> None:
    """Raises ArtefactError for what is no strategy."""
    with np.errstate(all="ignore"):
        sound = np.isfinite(strategy).all() and (strategy >= 0).all() and not strategy[~game.legal].any()
        if not sound or not np.allclose(strategy.sum(1), 1.0, rtol=0.0, atol=1e-9):
            raise ArtefactError(f"a strategy of {game.name} is no probability of each move")


def _drawn(seed: int, game: Game) -> Floats:
    """A strategy that has nothing to do with what was played."""
    weights = np.random.Generator(np.random.Philox(key=(seed, 7))).exponential(size=game.legal.shape) * game.legal
    return np.asarray(weights / weights.sum(1, keepdims=True))

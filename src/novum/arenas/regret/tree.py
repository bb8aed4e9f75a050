"""Games as trees, and trees as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CHANCE, TERMINAL = 2, 3
"""Kinds of nodes beside those of players 0 and 1."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a game ends: what player 0 gets, and player 1 pays."""

    payoff: float


@dataclass(frozen=True, slots=True)
class Chance:
    """A move of chance: probabilities and what follows."""

    branches: tuple[tuple[float, Node], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A move of a player, who knows `seen` and nothing more."""

    player: int
    seen: str
    children: tuple[Node, ...]


Node = Terminal | Chance | Decision


@dataclass(frozen=True, eq=False)
class Game:
    """Nodes by depth, the root first, so that parents come before children.

    kind: (nodes) player, CHANCE or TERMINAL. info: (nodes) information set of a decision, else -1. parent, action:
    (nodes) where a node comes from. chance: (nodes) probability of its edge, 1 after a decision. payoff: (nodes) of
    player 0. levels: where each depth begins, and the end. owner, actions: (information sets) player, number of moves;
    those of player 0 come first.
    """

    name: str
    kind: Ints
    info: Ints
    parent: Ints
    action: Ints
    chance: Floats
    payoff: Floats
    levels: tuple[int, ...]
    owner: Ints
    actions: Ints

    @cached_property
    def width(self) -> int:
        """The most moves that an information set has."""
        return int(self.actions.max())

    @cached_property
    def span(self) -> float:
        """The largest payoff minus the smallest."""
        ends = self.payoff[self.kind == TERMINAL]
        return float(ends.max() - ends.min())

    @cached_property
    def legal(self) -> NDArray[np.bool_]:
        """(information sets, width)."""
        return np.asarray(np.arange(self.width) < self.actions[:, None])


def flat(name: str, root: Node) -> Game:
    """The arrays of a tree."""
    nodes: list[Node] = []
    parent, action, chance, levels = [], [], [], [0]
    level: list[tuple[Node, int, int, float]] = [(root, -1, 0, 1.0)]
    while level:
        below: list[tuple[Node, int, int, float]] = []
        for node, above, move, probability in level:
            at = len(nodes)
            nodes.append(node)
            parent.append(above)
            action.append(move)
            chance.append(probability)
            if isinstance(node, Chance):
                below += [(child, at, move, share) for move, (share, child) in enumerate(node.branches)]
            elif isinstance(node, Decision):
                below += [(child, at, move, 1.0) for move, child in enumerate(node.children)]
        levels.append(len(nodes))
        level = below
    sets = sorted({(one.player, one.seen, len(one.children)) for one in nodes if isinstance(one, Decision)})
    numbers = {key[:2]: number for number, key in enumerate(sets)}
    kinds = [
        one.player if isinstance(one, Decision) else CHANCE if isinstance(one, Chance) else TERMINAL for one in nodes
    ]
    info = [numbers[one.player, one.seen] if isinstance(one, Decision) else -1 for one in nodes]
    payoff = [one.payoff if isinstance(one, Terminal) else 0.0 for one in nodes]
    owner, actions = (np.array([key[place] for key in sets], np.int64) for place in (0, 2))
    return Game(
        name,
        kind=np.array(kinds, np.int64),
        info=np.array(info, np.int64),
        parent=np.array(parent, np.int64),
        action=np.array(action, np.int64),
        chance=np.array(chance),
        payoff=np.array(payoff),
        levels=tuple(levels),
        owner=owner,
        actions=actions,
    )

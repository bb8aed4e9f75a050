"""The average strategy of a rule in a game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from novum.arenas.regret.language import language
from novum.arenas.regret.options import Options
from novum.arenas.regret.solve_kernel import play
from novum.arenas.regret.tree import Floats, Game
from novum.symbolic.machine import LANES, Layout, assembled
from novum.symbolic.program import Program

Code = tuple[NDArray[np.uint64], Floats, NDArray[np.uint64]]


@dataclass(frozen=True, eq=False)
class Table:
    """Everything that a rule needs to play one game, in arrays that are used again."""

    game: Game
    layout: Layout
    where: NDArray[np.uint64]
    cells: Floats
    sets: NDArray[np.int64]
    owner: NDArray[np.int64]
    buffers: tuple[Floats, ...]

    @classmethod
    def of(cls, game: Game, options: Options) -> Table:
        """Information sets in groups of LANES, each of one player."""
        layout = Layout(language(options), game.width)
        groups, owners = [], []
        for player in (0, 1):
            mine = np.flatnonzero(game.owner == player)
            for start in range(0, len(mine), LANES):
                group = np.full(LANES, -1)
                group[: len(mine[start : start + LANES])] = mine[start : start + LANES]
                groups.append(group)
                owners.append(player)
        count, nodes = len(game.owner), len(game.kind)
        shape = (count, game.width)
        buffers = (
            np.zeros(shape), np.zeros(shape), np.zeros((nodes, 3)), np.zeros(nodes), np.zeros(shape), np.zeros(count),
        )  # fmt: skip
        names = layout.addresses
        where = np.array([*(names[name] for name in "rpwts"), layout.scratch, layout.size], np.uint64)
        return cls(
            game, layout, where, np.zeros((len(groups), layout.length)), np.array(groups), np.array(owners), buffers
        )

    def begin(self) -> None:
        """All registers at zero, the uniform policy."""
        self.cells[:] = 0.0
        for one in self.buffers:
            one[:] = 0.0
        self.buffers[0][:] = self.game.legal / self.game.actions[:, None]

    def play(self, code: Code, first: int, last: int, alternating: bool) -> None:
        """Iterations from `first` to `last`, which is the last one."""
        game = self.game
        tree: Any = (game.kind, game.info, game.parent, game.action, game.chance, game.payoff)
        plan = np.array([first, last + 1, alternating], np.int64)
        play(self.cells, code, self.where, tree, self.sets, self.owner, game.actions, self.buffers, plan)

    @property
    def policy(self) -> Floats:
        """The present one."""
        return self.buffers[0].copy()

    def average(self) -> Floats:
        """The average strategy, uniform where it has no weight; not finite where the weights were not."""
        game, total = self.game, self.buffers[1].sum(1, keepdims=True)
        uniform = game.legal / game.actions[:, None]
        with np.errstate(all="ignore"):
            return np.where(total == 0, uniform, self.buffers[1] / total)


def average_strategy(program: Program, options: Options, game: Game) -> Floats:
    """Of a rule after all iterations, (information sets, width)."""
    table = Table.of(game, options)
    found = assembled(program, table.layout)
    table.begin()
    table.play((found.words, found.constants, found.bounds), 1, options.iterations, options.alternating)
    return table.average()

"""The games: Kuhn and Leduc poker, Goofspiel with three cards, random ones."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np

from novum.arenas.regret.options import Options
from novum.arenas.regret.tree import Chance, Decision, Game, Node, Terminal, flat
from novum.core.model.trial import Role

SHAPES = {Role.SEARCH: (3, 4, 2), Role.GATE: (4, 5, 2), Role.FINAL: (3, 4, 3)}
"""Of random games: what each player can be dealt, moves of a play, choices of a move."""


def played(options: Options, role: Role, seed: int) -> list[Game]:
    """The games of a trial. Leduc poker and Goofspiel are in final trials alone."""
    rng = np.random.Generator(np.random.Philox(key=(seed, 0x726567726574)))
    count = 1 if role is Role.FINAL else max(1, options.games) if role is Role.GATE else options.games
    drawn = [random_game(rng, *SHAPES[role]) for _ in range(count)]
    return {Role.SEARCH: [kuhn()], Role.GATE: [], Role.FINAL: [leduc(), goofspiel()]}[role] + drawn


@lru_cache(maxsize=1)
def kuhn() -> Game:
    """Three cards, one bet (Kuhn 1950): worth -1/18 to the first player."""
    return flat("kuhn", Chance(tuple((1 / 6, _kuhn(deal, "")) for deal in permutations(range(3), 2))))


def _kuhn(deal: tuple[int, ...], said: str) -> Node:
    """p: pass, b: bet."""
    stake = 2.0 if said.endswith("bb") else 1.0
    if said in ("pp", "bb", "pbb"):
        return Terminal(stake if deal[0] > deal[1] else -stake)
    if said in ("bp", "pbp"):
        return Terminal(1.0 if said == "bp" else -1.0)
    player = len(said) % 2
    return Decision(player, f"{deal[player]}{said}", tuple(_kuhn(deal, said + move) for move in "pb"))


@lru_cache(maxsize=1)
def leduc() -> Game:
    """Leduc hold'em (Southey et al. 2005, arXiv 1207.1411): two suits of three ranks, two rounds of at most two raises.

    Suits mean nothing, so that ranks are dealt with their probabilities. It is worth -.0856 to the first player.
    """
    deals = []
    for deal in ((i, j) for i in range(3) for j in range(3)):
        share = 1 / 15 if deal[0] == deal[1] else 2 / 15
        deals.append((share, _bet(_Hand(deal))))
    return flat("leduc", Chance(tuple(deals)))


class _Hand:
    """A state of Leduc: cards, board (-1: hidden), what was said, what both have paid, raises, moves of a round."""

    def __init__(
        self,
        deal: tuple[int, int],
        board: int = -1,
        said: str = "",
        paid: tuple[float, float] = (1.0, 1.0),
        raises: int = 0,
        moves: int = 0,
    ) -> None:
        self.deal, self.board, self.said, self.paid, self.raises, self.moves = deal, board, said, paid, raises, moves

    @property
    def payoff(self) -> float:
        """Of a showdown."""
        strength = [(card == self.board, card) for card in self.deal]
        return self.paid[0] * ((strength[0] > strength[1]) - (strength[0] < strength[1]))

    def after(self, move: str, paid: tuple[float, float], raises: int) -> _Hand:
        """After a move of the same round."""
        return _Hand(self.deal, self.board, self.said + move, paid, raises, self.moves + 1)


def _bet(hand: _Hand) -> Node:
    """A player calls (c), raises (r) or, facing a raise, folds (f)."""
    player = hand.moves % 2
    mine, theirs = hand.paid[player], hand.paid[1 - player]
    children: list[Node] = []
    if theirs > mine:
        children.append(Terminal(-mine if player == 0 else mine))
    level = (theirs, theirs)
    called = hand.after("c", level, hand.raises)
    children.append(_bet(called) if called.moves == 1 else _round_over(called))
    if hand.raises < 2:
        higher = theirs + (2.0 if hand.board < 0 else 4.0)
        children.append(_bet(hand.after("r", (higher, theirs) if player == 0 else (theirs, higher), hand.raises + 1)))
    return Decision(player, f"{hand.deal[player]}|{hand.board}|{hand.said}", tuple(children))


def _round_over(hand: _Hand) -> Node:
    """The board is turned, or cards are compared."""
    if hand.board >= 0:
        return Terminal(hand.payoff)
    left = [2 - hand.deal.count(board) for board in range(3)]
    return Chance(
        tuple(
            (left[board] / 4, _bet(_Hand(hand.deal, board, hand.said + "/", hand.paid)))
            for board in range(3)
            if left[board]
        )
    )


@lru_cache(maxsize=1)
def goofspiel() -> Game:
    """Three cards each, bid at once for prizes 1, 2, 3 in a random order; bids are shown. Worth 0; payoff in points."""
    return flat("goofspiel", Chance(tuple((1 / 6, _bid(order, (), 0)) for order in permutations((1, 2, 3)))))


def _bid(order: tuple[int, ...], bids: tuple[tuple[int, int], ...], lead: int) -> Node:
    """lead: points of player 0 minus those of player 1."""
    if len(bids) == 3:
        return Terminal(float(lead))
    hands = [[card for card in (1, 2, 3) if card not in [bid[who] for bid in bids]] for who in (0, 1)]
    prize = order[len(bids)]
    seen = f"{order[: len(bids) + 1]}{bids}"

    def after(one: int, other: int) -> Node:
        return _bid(order, (*bids, (one, other)), lead + prize * ((one > other) - (one < other)))

    if len(bids) == 2:
        return after(hands[0][0], hands[1][0])
    answers = (Decision(1, seen, tuple(after(one, other) for other in hands[1])) for one in hands[0])
    return Decision(0, seen, tuple(answers))


def random_game(rng: np.random.Generator, types: int, moves: int, choices: int) -> Game:
    """Both are dealt one of `types` with random joint probabilities, then move in turn and see all moves.

    Payoffs are normal, for each end and both types.
    """
    shares = rng.dirichlet(np.ones(types * types)).reshape(types, types)
    payoffs = rng.normal(size=(types, types, choices**moves))

    def node(deal: tuple[int, int], said: tuple[int, ...]) -> Node:
        if len(said) == moves:
            end = int(sum(move * choices**place for place, move in enumerate(said)))
            return Terminal(float(payoffs[deal][end]))
        player = len(said) % 2
        children = tuple(node(deal, (*said, move)) for move in range(choices))
        return Decision(player, f"{deal[player]}{said}", children)

    deals = [(i, j) for i in range(types) for j in range(types)]
    return flat("random", Chance(tuple((float(shares[deal]), node(deal, ())) for deal in deals)))

"""Whether a rule is a known one by what it reads, up to constants that are fitted and the scale of what is read.

Only the direction of an answer decides which value is nearest, so each set of streams is compared up to one factor.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace

import numpy as np

from novum.arenas.memory.arena import MemoryArena
from novum.arenas.memory.language import language
from novum.arenas.memory.named import RULES, Rule
from novum.arenas.memory.options import PARTS, Options
from novum.arenas.memory.recall import reads
from novum.arenas.memory.streams import Cell, Floats, cell
from novum.core.model.trial import Role
from novum.symbolic.mathematics import equations
from novum.symbolic.program import Program
from novum.symbolic.program_space import ProgramSpace
from novum.text.bounded_json import load_json

EXACT, CLOSE = 1e-6, 0.05
"""Relative differences below which two rules read the same, or nearly so."""
STREAMS = (("plain", 12), ("correlated", 8), ("overwritten", 10), ("drifting", 6))
"""Regimes and pairs that rules are compared on, in eight dimensions."""
FINEST = 1e-9
"""Relative step of a constant at which fitting ends."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The nearest known rule, with fitted constants, and the relative root mean square difference of what is read."""

    name: str
    distance: float
    constants: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """exact, close or other."""
        return "exact" if self.distance < EXACT else "close" if self.distance < CLOSE else "other"

    @property
    def words(self) -> str:
        """How near."""
        constants = ", ".join(f"{one:.4g}" for one in self.constants)
        named = f"{self.name} with {constants}" if constants else self.name
        near = {"exact": "exactly", "close": "nearly", "other": "nearest to"}[self.verdict]
        return f"{near} {named} (difference {self.distance:.2g})"


def recognise(program: Program, options: Options, seed: int = 0) -> Recognised:
    """The known rule that reads most nearly the same on random streams; of equal ones the first in `named.RULES`."""
    rng = np.random.default_rng(seed)
    streams = [cell(rng, regime, 8, 16, pairs, PARTS[Role.SEARCH]) for regime, pairs in STREAMS]
    found = [reads(program, options, one) for one in streams]
    if not all(np.isfinite(one).all() and one.any() for one in found):
        return Recognised("none", 1.0, ())
    fitted = [_fitted(name, rule, options, streams, found) for name, rule in RULES.items()]
    exact = [one for one in fitted if one.distance < EXACT]
    return exact[0] if exact else min(fitted, key=lambda one: one.distance)


def _fitted(name: str, rule: Rule, options: Options, streams: list[Cell], found: list[Floats]) -> Recognised:
    """The constants of a rule at which it is nearest: a pattern search from the best point of its grid."""
    space = ProgramSpace(replace(language(replace(options, setup=20, write=40)), constants=(-1e12, 1e12)))

    def distance(constants: tuple[float, ...]) -> float:
        program = space.program(rule.genome(*constants))
        pairs = zip(streams, found, strict=True)
        return float(np.sqrt(np.mean([_apart(reads(program, options, one), said) ** 2 for one, said in pairs])))

    grid = [tuple(float(one[at]) for one in rule.grid) for at in range(min(map(len, rule.grid), default=1))]
    least, best = min((distance(one), one) for one in grid)
    step = 0.5
    while best and step > FINEST and least >= EXACT / 100:
        moves = [_moved(best, at, factor) for at in range(len(best)) for factor in (1 + step, 1 / (1 + step))]
        nearer, move = min((distance(one), one) for one in moves)
        if nearer < least:
            least, best = nearer, move
        else:
            step /= 2
    return Recognised(name, least, best)


def _moved(constants: tuple[float, ...], at: int, factor: float) -> tuple[float, ...]:
    return (*constants[:at], constants[at] * factor, *constants[at + 1 :])


def _apart(known: Floats, said: Floats) -> float:
    """The relative difference, after the known answers are scaled to fit."""
    square = float((known**2).sum())
    if not np.isfinite(square) or square == 0:
        return 1.0
    scale = max(0.0, float((known * said).sum()) / square)
    return float(np.sqrt(((scale * known - said) ** 2).sum() / (said**2).sum()))


def main(request: str) -> None:
    """Answer `{"options", "genomes"}` with what each genome is: names of rules that it equals, words, equations."""
    asked = load_json(request)
    options = Options.taken(asked["options"])
    space = MemoryArena(options).space
    told = []
    for genome in asked["genomes"]:
        program = space.program(genome)
        near = recognise(program, options)
        lines = [line for part in equations(program, space.language).values() for line in part]
        names = [near.name] if near.distance < CLOSE else []
        told.append({"names": names, "words": near.words, "rule": "; ".join(lines)})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.stdin.read())

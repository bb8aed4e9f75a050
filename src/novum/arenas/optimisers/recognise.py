"""Which known rule a program is: by its updates, not by how it is written.

Programs get the same random gradients and weights, and their updates are compared at every step. Known rules have
constants, which are fitted; an update has a free overall scale, which is the learning rate's business, and may have a
free multiple of the weights beside (decay). Two programs that agree at random points compute the same (Schwartz 1980).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from novum.arenas.optimisers.language import language
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.training import Rule
from novum.core.model.candidate import Genome
from novum.population.streams import stream
from novum.symbolic.mathematics import equations
from novum.symbolic.program import Program
from novum.symbolic.program_language import Language
from novum.symbolic.program_space import ProgramSpace
from novum.text.bounded_json import load_json

_ADAM = (
    "c = a * c; d = b * d; m = interp(g, m, {0}); p = g * g; n = interp(p, n, {1}); f = e - d; f = e / f; "
    "p = f * n; p = sqrt(p); f = 1e-08; p = f + p; u = m / p; f = e - c; f = e / f; u = f * u"
)
RULES: Mapping[str, Genome] = {
    "gradient descent": {"step": "u = g"},
    "sign descent": {"step": "u = sign(g)"},
    "normalised gradient": {"step": "u = unit(g)"},
    "orthogonalised gradient": {"step": "u = orthogonal(g)"},
    "momentum": {"step": "m = interp(g, m, {0}); u = m"},
    "Nesterov momentum": {"step": "m = interp(g, m, {0}); u = interp(g, m, {0})"},
    "signum": {"step": "m = interp(g, m, {0}); u = sign(m)"},
    "Lion": {"step": "u = interp(g, m, {0}); u = sign(u); m = interp(g, m, {1})"},
    "normalised momentum": {"step": "m = interp(g, m, {0}); u = unit(m)"},
    "orthogonalised momentum": {"step": "m = interp(g, m, {0}); u = orthogonal(m)"},
    "orthogonalised Nesterov momentum": {"step": "m = interp(g, m, {0}); u = interp(g, m, {1}); u = orthogonal(u)"},
    "mean of orthogonalised gradients": {"step": "p = orthogonal(g); m = interp(p, m, {0}); u = m"},
    "RMSprop": {"step": "p = g * g; n = interp(p, n, {0}); p = sqrt(n); a = 1e-08; p = a + p; u = g / p"},
    "Adam": {"setup": "a = {0}; b = {1}; c = 1.0; d = 1.0; e = 1.0", "step": _ADAM},
    "Adam without correction": {
        "step": "m = interp(g, m, {0}); p = g * g; n = interp(p, n, {1}); p = sqrt(n); a = 1e-08; p = a + p; u = m / p"
    },
}
"""Those of fewer constants first. Lion with two equal constants is signum, Nesterov's form of it a special case."""
GRID = (0.3, 0.55, 0.7, 0.8, 0.86, 0.9, 0.93, 0.96, 0.98, 0.99, 0.998)
STEPS, SHAPE, LIVES = 16, (6, 4), 4
EXACT, CLOSE = 1e-6, 0.05
NEAR, FITTED = 0.3, 2
"""Rules are fitted that are so near on the grid, and no more than so many."""
ROUNDS, DELTA = 12, 1e-6
"""Of fitting; the step of a numerical derivative."""
Floats = NDArray[np.float64]
WIDE = Options(operations="all", setup=20, instructions=40)


@dataclass(frozen=True, slots=True)
class Likeness:
    """The known rule that is nearest, its fitted constants, and the relative difference of all updates."""

    name: str
    constants: tuple[float, ...]
    difference: float
    decay: float = 0.0
    """Of the weights, relative to the scale of the rule's updates."""

    @property
    def words(self) -> str:
        """How near."""
        name = self.name
        if self.constants:
            name += " with " + " and ".join(f"{one:.4g}" for one in self.constants)
        if abs(self.decay) > 10 * self.difference + EXACT:
            name += f" and weight decay {self.decay:.2g}"
        if self.difference < EXACT:
            return f"{name}, exactly"
        near = "nearly" if self.difference < CLOSE else "nearest to"
        return f"{near} {name} (difference {self.difference:.2g})"


def nearest(program: Program, spoken: Language) -> Likeness:
    """The known rule of the least difference; one of more constants has to halve it.

    All rules are compared on a grid of constants; the few that are near there are fitted.
    """
    ours, best = updates(program, spoken), Likeness("nothing known", (), math.inf)
    rough = {name: min((_compared(ours, name, at) for at in _grid(name)), key=_size) for name in RULES}
    limit = min(NEAR, sorted(map(_size, rough.values()))[FITTED - 1])
    for found in rough.values():
        fitted = _fitted(ours, found) if EXACT < found.difference <= limit else found
        if fitted.difference < 0.5 * best.difference and best.difference > EXACT:
            best = fitted
    return best


def updates(program: Program, spoken: Language) -> Floats:
    """What a program says at every step on random gradients, in a row."""
    gradients, weights = _drawn("gradients"), _drawn("weights")
    rule = Rule(program, spoken, [weights[0]])
    said = [rule([one], [gradient])[0].flatten() for one, gradient in zip(weights, gradients, strict=True)]
    out: Floats = torch.cat(said).numpy()
    return out


@lru_cache(maxsize=2)
def _drawn(name: str) -> Tensor:
    """[STEPS, LIVES, rows, columns], around a matrix that lasts, so that averages are more than smaller."""
    rng = stream(7_000_001, f"optimisers/recognise/{name}")
    lasting = rng.standard_normal((1, LIVES, *SHAPE))
    return torch.from_numpy(0.7 * lasting + rng.standard_normal((STEPS, LIVES, *SHAPE)))


@lru_cache(maxsize=1)
def _weights() -> Floats:
    """In the order of `updates`."""
    out: Floats = _drawn("weights").flatten().numpy()
    return out


def _grid(name: str) -> list[tuple[float, ...]]:
    text = "".join(map(str, RULES[name].values()))
    return list(product(GRID, repeat=sum(place in text for place in ("{0}", "{1}"))))


@lru_cache(maxsize=4096)
def _known(name: str, constants: tuple[float, ...]) -> Floats:
    """The updates of a known rule."""
    held = [repr(min(9.0, max(-9.0, one))) for one in constants]
    filled = {part: str(text).format(*held) for part, text in RULES[name].items()}
    return updates(ProgramSpace(language(WIDE)).program(filled), language(WIDE))


def _compared(ours: Floats, name: str, constants: tuple[float, ...]) -> Likeness:
    difference, decay = compared(ours, _known(name, constants))
    return Likeness(name, constants, difference, decay)


def _fitted(ours: Floats, start: Likeness) -> Likeness:
    """The constants at which a rule is nearest: closer and closer steps from the grid, then Gauss and Newton's."""
    best, step = start, 0.3
    for _ in range(ROUNDS if start.constants else 0):
        tried = [_compared(ours, start.name, at) for at in _around(best.constants, step)]
        nearer = min(tried, key=_size)
        best, step = (nearer, step) if nearer.difference < best.difference else (best, step / 2)
    for _ in range(ROUNDS if start.constants else 0):
        found = _compared(ours, start.name, _newton(ours, best))
        if not found.difference < best.difference:
            break
        best = found
    return best


def _around(constants: tuple[float, ...], step: float) -> list[tuple[float, ...]]:
    """One constant nearer to one or farther from it, relative to the distance."""
    moved = [(place, sign) for place in range(len(constants)) for sign in (-1, 1)]
    return [
        tuple(one + sign * step * (1 - one) * (at == place) for at, one in enumerate(constants))
        for place, sign in moved
    ]


def _newton(ours: Floats, near: Likeness) -> tuple[float, ...]:
    """Constants that a linear model of the rule at these would have, with free scale and decay."""
    theirs, constants = _known(near.name, near.constants), np.array(near.constants)
    slopes = [
        (_known(near.name, tuple(map(float, constants + DELTA * unit))) - theirs) / DELTA
        for unit in np.eye(len(constants))
    ]
    model = np.stack([theirs, _weights(), *slopes], 1)
    if not np.isfinite(model).all():
        return near.constants
    found, *_ = np.linalg.lstsq(model, ours, rcond=None)
    return tuple(float(one) for one in constants + found[2:] / found[0]) if found[0] else near.constants


def compared(ours: Floats, theirs: Floats) -> tuple[float, float]:
    """Root mean square of the difference over that of our updates, theirs at the best scale and decay; the decay.

    The difference is infinite where something is not a number, where our updates are zero, or theirs point elsewhere.
    """
    size = float(ours @ ours)
    if not (0 < size < math.inf and np.isfinite(theirs).all()):
        return math.inf, 0.0
    both = np.stack([theirs, _weights()], 1)
    (scale, decay), *_ = np.linalg.lstsq(both, ours, rcond=None)
    if scale <= 0:
        return math.inf, 0.0
    return float(np.sqrt(((ours - both @ (scale, decay)) ** 2).sum() / size)), float(decay / scale)


def _size(one: Likeness) -> float:
    return one.difference


def main(request: str) -> None:
    """Answer `{"options", "genomes"}` with what each genome is: names of rules that it equals, words, equations."""
    torch.set_num_threads(1)
    asked = load_json(request)
    space = ProgramSpace(language(Options.taken(asked["options"])))
    told = []
    for genome in asked["genomes"]:
        program = space.program(genome)
        near = nearest(program, space.language)
        lines = [line for part in equations(program, space.language).values() for line in part]
        names = [near.name] if near.difference < CLOSE else []
        told.append({"names": names, "words": near.words, "rule": "; ".join(lines)})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.stdin.read())

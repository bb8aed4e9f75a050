"""Which known rule a program is: by what it says, not by how it is written.

Two programs that say the same on random examples, at every step of a life, compute the same (a rational function that
is zero at random points is zero: Schwartz 1980). Known rules have a free rate, which is fitted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from novum.arenas.programs.language import language
from novum.arenas.programs.options import Options
from novum.arenas.programs.search import lived
from novum.arenas.programs.tasks import Floats, make
from novum.core.model.candidate import Genome
from novum.core.model.trial import Role
from novum.symbolic.mathematics import equations
from novum.symbolic.program import Program
from novum.symbolic.program_space import ProgramSpace
from novum.text.bounded_json import load_json

LINEAR: Mapping[str, Genome] = {
    "least mean squares": {
        "setup": "a = {rate}", "predict": "p = dot(w, x)", "learn": "b = y - p; b = a * b; u = b * x; w = w + u",
    },
    "normalised least mean squares": {
        "setup": "a = {rate}", "predict": "p = dot(w, x)",
        "learn": "b = y - p; b = a * b; c = dot(x, x); b = b / c; u = b * x; w = w + u",
    },
    "least mean squares, a step late": {
        "setup": "a = {rate}",
        "predict": "p = dot(w, x)",
        "learn": "w = w + u; b = y - p; b = a * b; u = b * x",
    },
    "normalised least mean squares, a step late": {
        "setup": "a = {rate}",
        "predict": "p = dot(w, x)",
        "learn": "w = w + u; b = y - p; b = a * b; c = dot(x, x); b = b / c; u = b * x",
    },
    "sign-data least mean squares": {
        "setup": "a = {rate}", "predict": "p = dot(w, x)",
        "learn": "b = y - p; b = a * b; u = sign(x); u = b * u; w = w + u",
    },
    "sign-error least mean squares": {
        "setup": "a = {rate}", "predict": "p = dot(w, x)",
        "learn": "b = y - p; b = sign(b); b = a * b; u = b * x; w = w + u",
    },
    "Hebb": {"setup": "a = {rate}", "predict": "p = dot(w, x)", "learn": "b = a * y; u = b * x; w = w + u"},
    "perceptron": {
        "setup": "a = {rate}", "predict": "p = dot(w, x)",
        "learn": "b = sign(p); b = y - b; b = a * b; u = b * x; w = w + u",
    },
}  # fmt: skip
"""Widrow and Hoff 1960; Nagumo and Noda 1967; Long, Ling and Proakis 1989 (late); Moschner 1970; Gersho 1984;
Hebb 1949; Rosenblatt 1958."""
DIRECTIONS: Mapping[str, Genome] = {
    "Oja": {
        "setup": "a = {rate}",
        "learn": "p = dot(w, x); u = p * x; c = p * p; v = c * w; u = u - v; u = a * u; w = w + u",
    },
    "Hebb and normalise": {
        "setup": "a = {rate}; c = 1.0",
        "learn": "p = dot(w, x); b = a * p; u = b * x; w = w + u; b = norm(w); b = c / b; w = b * w",
    },
}
"""Oja 1982."""
NETWORK: Mapping[str, Genome] = {
    "backpropagation": {
        "setup": "a = {rate}", "predict": "u = W @ x; v = relu(u); p = dot(w, v)",
        "learn": "b = y - p; b = a * b; u = step(u); u = u * w; u = b * u; U = outer(u, x); W = W + U; v = b * v; "
        "w = w + v",
    },
}  # fmt: skip
"""Rumelhart, Hinton and Williams 1986, two layers, no biases."""
WIDE = Options(operations="matrices", setup=20, predict=20, learn=30)
RATES = np.geomspace(1e-3, 4.0, 40)
LIVES = 3
EXACT, CLOSE = 1e-6, 0.05


@dataclass(frozen=True, slots=True)
class Likeness:
    """The known rule that is nearest, its fitted rate, and the relative difference of all that both say."""

    name: str
    rate: float
    difference: float

    @property
    def words(self) -> str:
        """How near."""
        if self.difference < EXACT:
            return f"{self.name} with rate {self.rate:.4g}, exactly"
        near = "nearly" if self.difference < CLOSE else "nearest to"
        return f"{near} {self.name} with rate {self.rate:.4g} (difference {self.difference:.2g})"


def known_rules(options: Options) -> Mapping[str, Genome]:
    """Rules that a program for this task may turn out to be."""
    if options.task == "component":
        return DIRECTIONS
    return {**LINEAR, **NETWORK} if options.task == "teacher" else LINEAR


def nearest(program: Program, options: Options) -> Likeness:
    """The known rule of the least difference; its rate is searched on a grid and then between its neighbours."""
    found = [_fitted(program, options, name, rule) for name, rule in known_rules(options).items()]
    return min(found, key=lambda one: one.difference)


def _fitted(program: Program, options: Options, name: str, rule: Genome) -> Likeness:
    """The rate at which a rule is nearest: a grid, then golden sections between the neighbours of its best point."""
    wide = replace(WIDE, task=options.task, features=options.features, examples=min(60, options.examples), scored=5)
    tasks = [make(wide, Role.SEARCH, 7_000_001 + life) for life in range(LIVES)]
    moved = options.task == "component"

    def says(one: Program, chosen: Options) -> list[Floats]:
        said = [lived(one, chosen, task, 0) for task in tasks]
        return [life - life[0] for life in said] if moved else said  # a direction that stays is near all slow rules

    ours = says(program, replace(options, examples=wide.examples, scored=5))

    def apart(rate: float) -> float:
        return _difference(ours, says(_at(rule, rate, wide), wide))

    values = [apart(float(rate)) for rate in RATES]
    at = int(np.argmin(values))
    low, high = RATES[max(0, at - 1)], RATES[min(len(RATES) - 1, at + 1)]
    for _ in range(60):
        inner = low + 0.382 * (high - low), low + 0.618 * (high - low)
        low, high = (low, inner[1]) if apart(float(inner[0])) < apart(float(inner[1])) else (inner[0], high)
    rate = float((low + high) / 2)
    return Likeness(name, rate, apart(rate))


def _at(rule: Genome, rate: float, wide: Options) -> Program:
    """A known rule with a rate."""
    filled = {part: str(text).format(rate=repr(rate)) for part, text in rule.items()}
    return ProgramSpace(language(wide)).program(filled)


def _difference(ours: list[Floats], theirs: list[Floats]) -> float:
    """Root mean square of the difference over that of what the program says; infinite where it is not a number."""
    with np.errstate(all="ignore"):
        apart = sum(float(((a - b) ** 2).sum()) for a, b in zip(ours, theirs, strict=True))
        size = sum(float((a**2).sum()) for a in ours)
        found = np.sqrt(apart / size) if size else np.inf
    return float(found) if np.isfinite(found) else float("inf")


def main(request: str) -> None:
    """Answer `{"options", "genomes"}` with what each genome is: names of rules that it equals, words, equations."""
    asked = load_json(request)
    options = Options.taken(asked["options"])
    space = ProgramSpace(language(options))
    told = []
    for genome in asked["genomes"]:
        program = space.program(genome)
        near = nearest(program, options)
        lines = [line for part in equations(program, space.language).values() for line in part]
        names = [near.name] if near.difference < CLOSE else []
        told.append({"names": names, "words": near.words, "rule": "; ".join(lines)})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.stdin.read())

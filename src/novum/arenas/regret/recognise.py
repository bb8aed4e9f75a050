"""Whether a rule is a known one by the policies that it plays and the weights of its average, constants fitted."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace

import numpy as np

from novum.arenas.regret.arena import RegretArena
from novum.arenas.regret.language import language
from novum.arenas.regret.named import RULES, Rule
from novum.arenas.regret.options import Options
from novum.arenas.regret.tree import Floats
from novum.symbolic.interpreter import fresh_registers, run
from novum.symbolic.machine import LANES
from novum.symbolic.mathematics import equations
from novum.symbolic.program import Program
from novum.symbolic.program_space import ProgramSpace
from novum.text.bounded_json import load_json

EXACT, CLOSE = 1e-6, 0.05
"""Relative differences below which two rules play the same, or nearly so."""
MOVES, STEPS = 3, 24
FINEST = 1e-9
"""Relative step of a constant at which fitting ends."""
ROOM = 30
"""Instructions of an update that known rules may have, whatever the study allows."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The nearest known rule with fitted constants.

    distance: the larger one of the relative root mean square differences of policies and of averaging weights.
    """

    name: str
    distance: float
    policies: float
    weights: float
    constants: tuple[float, ...]
    plays: str = ""
    """The first rule whose policies are the same, or nearly so, whatever the weights of the average."""

    @property
    def names(self) -> list[str]:
        """Rules that it is; and whose policies it plays, since how these are averaged is a choice of its own.

        Regret is a matter of the policies alone: a bound on it holds for any rule that plays them.
        """
        return [self.name] * (self.distance < CLOSE) + [f"policies of {self.plays}"] * bool(self.plays)

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
        averaged = f", policies of {self.plays}" if self.verdict == "other" and self.plays else ""
        return f"{near} {named} (difference {self.distance:.2g}){averaged}"


def recognise(program: Program, options: Options, seed: int = 0) -> Recognised:
    """The known rule that plays most nearly the same on random counterfactual values."""
    values = np.random.default_rng(seed).normal(size=(STEPS, MOVES, LANES))
    said = behaviour(program, options, values)
    if not all(np.isfinite(one).all() for one in said):
        return Recognised("none", 1.0, 1.0, 1.0, ())
    fitted = [_fitted(name, rule, options, values, said) for name, rule in RULES.items()]
    nearest, plays = (min(fitted, key=key) for key in (lambda one: one.distance, lambda one: one.policies))
    return replace(nearest, plays=plays.name if plays.policies < CLOSE else "")


def behaviour(program: Program, options: Options, values: Floats) -> tuple[Floats, Floats]:
    """Policies (steps, moves, LANES) after each update, and weights of the average (steps, LANES) that sum to 1.

    values: (steps, moves, LANES) counterfactual values; regrets are these minus their mean under the policy.
    """
    registers = fresh_registers(language(options), MOVES, LANES)
    policy = np.full((MOVES, LANES), 1 / MOVES)
    policies, weights = np.empty(values.shape), np.empty((len(values), LANES))
    update, choose, average = program.parts
    for step, value in enumerate(values):
        regrets, now = value - (policy * value).sum(0), np.full(LANES, step + 1.0)
        registers.update(r=regrets, p=policy, t=now)
        run(average, registers)
        weights[step] = np.where(registers["s"] > 0, registers["s"], 0.0)
        registers.update(r=regrets.copy(), p=policy.copy(), t=now.copy(), w=np.zeros_like(value))
        run(update, registers)
        registers.update(t=now.copy())
        run(choose, registers)
        policy = _normalised(registers["w"])
        policies[step] = policy
    with np.errstate(all="ignore"):
        return policies, weights / weights.sum(0)


def _normalised(weights: Floats) -> Floats:
    positive = np.where((weights > 0) & np.isfinite(weights), weights, 0.0)
    total = positive.sum(0)
    with np.errstate(all="ignore"):
        return np.where(total > 0, positive / total, 1 / MOVES)


def _fitted(name: str, rule: Rule, options: Options, values: Floats, said: tuple[Floats, Floats]) -> Recognised:
    """The constants of a rule at which it is nearest: a pattern search from the published ones."""
    wide = replace(
        language(replace(options, operations="more", update=ROOM, policy=20, average=20)), constants=(-1e12, 1e12)
    )
    space = ProgramSpace(wide)

    def apart(constants: tuple[float, ...]) -> tuple[float, float, float]:
        known = behaviour(space.program(rule.genome(*constants)), options, values)
        policies, weights = (_apart(one, other) for one, other in zip(known, said, strict=True))
        return max(policies, weights), policies, weights

    best = tuple(map(float, rule.published))
    least, step = apart(best), 0.5
    while best and step > FINEST and least[0] >= EXACT / 100 and least[2] < CLOSE:
        moves = [
            (*best[:at], best[at] * factor, *best[at + 1 :])
            for at in range(len(best))
            for factor in (1 + step, 1 / (1 + step))
        ]
        nearer, move = min((apart(one), one) for one in moves)
        if nearer[0] < least[0]:
            least, best = nearer, move
        else:
            step /= 2
    return Recognised(name, *least, best)


def _apart(known: Floats, said: Floats) -> float:
    """The relative difference."""
    return float(np.sqrt(((known - said) ** 2).sum() / (said**2).sum()))


def main(request: str) -> None:
    """Answer `{"options", "genomes"}` with what each genome is: names of rules that it equals, words, equations."""
    asked = load_json(request)
    options = Options.taken(asked["options"])
    space = RegretArena(options).space
    told = []
    for genome in asked["genomes"]:
        program = space.program(genome)
        near = recognise(program, options)
        lines = [line for part in equations(program, space.language).values() for line in part]
        told.append({"names": near.names, "words": near.words, "rule": "; ".join(lines)})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.stdin.read())

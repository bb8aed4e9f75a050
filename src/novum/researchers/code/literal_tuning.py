"""Literals as parameters: their ranges, and the next values by a tree-structured Parzen estimator or an evolution step.

TPE: Bergstra et al., NIPS 2011, through Optuna's ask and tell, with a study that is rebuilt from the record each time.
Without Optuna, and while little is known, a (1+1) step with a heavy-tailed scale takes its place.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from novum.core.model.candidate import Genome
from novum.researchers.code.program_history import History, Variant
from novum.researchers.tpe import has_tpe, next_point
from novum.source.literals import Literal, Number, skeleton, with_values
from novum.source.space import SourceSpace

ENOUGH = 8
"""Scored variants of one skeleton from which TPE is asked."""

OBSERVED = 32
"""How many of them it is shown at most: the best half and the latest half."""

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One literal as a parameter: sizes in [low, high], on the log scale or not, of a fixed sign."""

    path: str
    index: int
    literal: Literal
    low: float
    high: float
    log: bool
    integer: bool

    def size(self, value: Number) -> float:
        """A literal's value as a point of the range, brought into it where it lies outside."""
        sized = abs(value) if self.low >= 0 else value
        return min(self.high, max(self.low, float(sized)))

    def value(self, size: float) -> Number:
        """The literal at a point of the range."""
        kind = type(self.literal.value)
        if kind is bool:
            return size >= 0.5
        sign = -1 if self.low >= 0 and self.literal.value < 0 else 1
        return sign * round(size) if kind is int else sign * float(f"{size:.6g}")


@dataclass(frozen=True, slots=True)
class Tuned:
    """A genome with other literals, what changed in words, and by which method."""

    genome: Genome
    words: str
    method: str


def dimensions(space: SourceSpace, genome: Genome) -> list[Dimension]:
    """Every editable literal of a program as a parameter."""
    found: list[Dimension] = []
    for path in sorted({*space.base, *genome}):
        for index, literal in enumerate(skeleton(space.text(genome, path), path).literals):
            low, high, log = _range(literal.value)
            found.append(Dimension(path, index, literal, low, high, log, isinstance(literal.value, int)))
    return found


def _range(value: Number) -> tuple[float, float, bool]:
    """(low, high, log): a decade each way for what has a scale; the neighbours for small whole numbers."""
    size = abs(value)
    if isinstance(value, bool):
        return 0, 1, False
    if isinstance(value, int):
        return (max(1, size // 8), size * 8, True) if size > 3 else (0, size + 3, False)
    if size == 0.0:
        return -1.0, 1.0, False
    return (size / 10, 1.0, True) if 0.5 < size < 1.0 else (size / 10, size * 10, True)


def tuned(past: History, parent: Variant, rng: random.Random, width: int) -> Tuned | None:
    """`parent` with other values for up to `width` of its literals, or None when it has none."""
    every = dimensions(past.space, parent.genome)
    if not every:
        return None
    chosen = sorted(rng.sample(range(len(every)), min(len(every), rng.randint(1, width))))
    picked = [every[index] for index in chosen]
    seen = _observations(past, parent, every, chosen)
    if len(seen) < ENOUGH:
        sizes, method = _step(picked, rng), "an evolution step"
    elif not has_tpe():
        sizes, method = _step(picked, rng), "an evolution step, as Optuna is not installed"
    else:
        sizes, method = _asked(picked, seen, rng.getrandbits(32)), f"TPE over {len(seen)} variants"
    return _written(past.space, parent.genome, picked, sizes, method)


def _written(
    space: SourceSpace, genome: Genome, picked: Sequence[Dimension], sizes: Sequence[float], method: str
) -> Tuned | None:
    values: dict[str, dict[int, Number]] = {}
    words: list[str] = []
    for dimension, size in zip(picked, sizes, strict=True):
        new = dimension.value(size)
        if new != dimension.literal.value:
            values.setdefault(dimension.path, {})[dimension.index] = new
            words.append(f"sets {dimension.literal.name} to {new!r} at {dimension.path}:{dimension.literal.line}")
    if not values:
        return None
    changed = {path: with_values(space.text(genome, path), path, new) for path, new in values.items()}
    return Tuned({**genome, **changed}, ", ".join(words), method)


def _step(picked: Sequence[Dimension], rng: random.Random) -> list[float]:
    """A step from the present values: whole numbers by one at least, scales by a factor that is sometimes large."""
    sizes: list[float] = []
    for dimension in picked:
        size = dimension.size(dimension.literal.value)
        spread = 10 ** rng.uniform(-1.0, 0.0)
        if dimension.log:
            new = size * math.exp(rng.gauss(0.0, 2.0 * spread))
        else:
            new = size + rng.gauss(0.0, spread * (dimension.high - dimension.low))
        if dimension.integer and round(new) == size:
            new = size + rng.choice((-1, 1))
        sizes.append(min(dimension.high, max(dimension.low, new)))
    return sizes


def _observations(
    past: History, parent: Variant, every: Sequence[Dimension], chosen: Sequence[int]
) -> list[tuple[Point, float]]:
    """(point in the chosen dimensions, advantage) of variants with the parent's skeleton; failures get the worst."""
    mask = _mask(past.space, parent.genome)
    alike = [variant for variant in past.variants if _mask(past.space, variant.genome) == mask]
    if len(alike) > OBSERVED:
        best = sorted(range(len(alike)), key=lambda index: -alike[index].advantage)[: OBSERVED // 2]
        latest = range(len(alike) - OBSERVED // 2, len(alike))
        alike = [alike[index] for index in sorted({*best, *latest})]
    scored = [variant.advantage for variant in alike if math.isfinite(variant.advantage)]
    worst = min(scored, default=0.0)
    return [
        (
            tuple(every[i].size(values[i]) for i in chosen),
            variant.advantage if math.isfinite(variant.advantage) else worst,
        )
        for variant in alike
        if (values := _values(past.space, variant.genome))
    ]


def _mask(space: SourceSpace, genome: Genome) -> tuple[tuple[str, str], ...]:
    return tuple((path, skeleton(space.text(genome, path), path).masked) for path in sorted({*space.base, *genome}))


def _values(space: SourceSpace, genome: Genome) -> list[Number]:
    paths = sorted({*space.base, *genome})
    return [literal.value for path in paths for literal in skeleton(space.text(genome, path), path).literals]


def _asked(picked: Sequence[Dimension], seen: Sequence[tuple[Point, float]], seed: int) -> list[float]:
    """The next point by TPE."""
    from optuna.distributions import FloatDistribution, IntDistribution

    space: dict[str, Any] = {}
    for number, dimension in enumerate(picked):
        space[f"x{number}"] = (
            IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
            if dimension.integer
            else FloatDistribution(dimension.low, dimension.high, log=dimension.log)
        )
    known = [
        ({f"x{i}": int(x) if picked[i].integer else x for i, x in enumerate(point)}, value) for point, value in seen
    ]
    found = next_point(space, known, {"seed": seed, "n_startup_trials": ENOUGH})
    return [float(found[name]) for name in space]

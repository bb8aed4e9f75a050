"""What a design costs by construction: two FLOP for each multiply-add of its matrix products, nothing elementwise.

A backward pass counts twice a forward one; the derivative through it twice that. Products of a weight's own update are
left out.
"""

from __future__ import annotations

from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.space import Design, space
from novum.core.model.candidate import Cost, Genome


def cost(genome: Genome, options: Options) -> Cost:
    """Parameters; numbers that a task keeps or changes; FLOP of what is learned beforehand and of the exam."""
    design = Design.of(space().validate(genome))
    shots = options.levels[-1]
    before = 0.0
    if design.meta != "none":
        average = (1 + shots) / 2
        before = options.steps * options.batch * _lesson(design, options, average, shots, options.queries)
    asked = options.exam * sum(_task(design, options, k, options.queries) for k in options.levels)
    return Cost(_hidden(design, options) + _wide(design, options), _kept(design, options), 2.0 * (before + asked))


def _wide(design: Design, options: Options) -> int:
    """Features that the head sees."""
    return design.width + 1 if design.deep else options.inputs


def _hidden(design: Design, options: Options) -> int:
    """Weights of the hidden layers, which are its multiply-adds for an example as well."""
    return (options.inputs + 1) * design.width + (design.width + 1) * design.width if design.deep else 0


def _kept(design: Design, options: Options) -> int:
    """Numbers of a task: weights that move, pairs that are remembered, the matrix and vector of ridge regression."""
    wide, shots = _wide(design, options), options.levels[-1]
    kept = {
        "gradient": wide + (_hidden(design, options) if design.adapts == "all" else 0),
        "delta": wide,
        "ridge": wide * wide + wide,
        "attention": shots * (wide + 1),
        "neighbours": shots * (wide + 1),
        "none": 0,
    }
    return kept[design.inner]


def _task(design: Design, options: Options, shots: float, questions: int) -> float:
    """Multiply-adds of a task: adapting to its examples and answering its questions."""
    wide, hidden = _wide(design, options), _hidden(design, options)
    answering = questions * (hidden + wide)
    if design.inner == "gradient":
        moved = hidden + wide if design.adapts == "all" else wide
        return answering + design.descent * shots * (hidden + wide + 2 * moved)
    if design.inner == "none":
        return answering
    seen = shots * hidden
    if design.inner == "delta":
        return answering + seen + 2 * shots * wide
    if design.inner == "ridge":
        return answering + seen + shots * shots * wide + shots**3 / 3 + 2 * shots * wide
    return answering + seen + questions * shots * (wide + 1)


def _lesson(design: Design, options: Options, average: float, shots: int, questions: int) -> float:
    """Multiply-adds of a task that is learned from."""
    del shots
    both = _hidden(design, options) + _wide(design, options)
    if design.meta == "joint":
        return 3 * questions * both
    whole = _task(design, options, average, questions)
    if design.meta == "unrolled":
        return 3 * whole
    return whole if design.meta == "reptile" else whole + 2 * questions * both

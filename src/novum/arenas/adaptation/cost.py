"""What a design costs by construction: two FLOP for each multiply-add of its matrix products, nothing elementwise.

A backward pass counts twice a forward one; the derivative through it twice that. Products of a weight's own update are
left out.
"""

from __future__ import annotations

from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.space import Design, space
from novum.arenas.adaptation.texts import EMBEDDED, SYMBOLS
from novum.core.model.candidate import Cost, Genome


def cost(genome: Genome, options: Options) -> Cost:
    """Parameters; numbers that a task keeps or changes; FLOP of what is learned beforehand and of the exam."""
    design = Design.of(space(options).validate(genome))
    shots = options.levels[-1]
    before = 0.0
    if design.meta != "none":
        average = (1 + shots) / 2
        before = options.steps * options.batch * _lesson(design, options, average, options.queries)
    asked = options.exam * sum(_task(design, options, k, options.queries) for k in options.levels)
    embedding = SYMBOLS * EMBEDDED if options.text else 0
    parameters = embedding + _hidden(design, options) + _head(design, options)
    return Cost(parameters, _kept(design, options), 2.0 * (before + asked))


def _wide(design: Design, options: Options) -> int:
    """Features that the head sees."""
    return design.width + 1 if design.deep else options.inputs


def _head(design: Design, options: Options) -> int:
    """Weights of the head, which are its multiply-adds for an example as well."""
    return _wide(design, options) * (SYMBOLS if options.text else 1)


def _hidden(design: Design, options: Options) -> int:
    """The same of the hidden layers."""
    inputs = options.inputs * (EMBEDDED if options.text else 1)
    return (inputs + 1) * design.width + (design.width + 1) * design.width if design.deep else 0


def _kept(design: Design, options: Options) -> int:
    """Numbers of a task: weights that move, pairs that are remembered, the matrix and vector of ridge regression."""
    wide, head, shots = _wide(design, options), _head(design, options), options.levels[-1]
    kept = {
        "gradient": head + (_hidden(design, options) if design.adapts == "all" else 0),
        "delta": head,
        "ridge": wide * wide + head,
        "attention": shots * (wide + 1),
        "neighbours": shots * (wide + 1),
        "none": 0,
    }
    return kept[design.inner]


def _task(design: Design, options: Options, shots: float, questions: int) -> float:
    """Multiply-adds of a task: adapting to its examples and answering its questions."""
    wide, head, hidden = _wide(design, options), _head(design, options), _hidden(design, options)
    answering = questions * (hidden + head)
    if design.inner == "gradient":
        moved = hidden + head if design.adapts == "all" else head
        return answering + design.descent * shots * (hidden + head + 2 * moved)
    if design.inner == "none":
        return answering
    seen = shots * hidden
    if design.inner == "delta":
        return answering + seen + 2 * shots * head
    if design.inner == "ridge":
        return answering + seen + shots * shots * wide + shots**3 / 3 + 2 * shots * head
    return answering + seen + questions * shots * (wide + 1)


def _lesson(design: Design, options: Options, shots: float, questions: int) -> float:
    """Multiply-adds of a task that is learned from, with so many examples on average."""
    both = _hidden(design, options) + _head(design, options)
    if design.meta == "joint":
        return 3 * questions * both
    whole = _task(design, options, shots, questions)
    if design.meta == "unrolled":
        return 3 * whole
    return whole if design.meta == "reptile" else whole + 2 * questions * both

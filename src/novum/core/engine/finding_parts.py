"""What a finding differs in from its incumbent: genes, and single statements of genes that are programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Candidate, CandidateSpace, Genome, Scalar
from novum.core.state.hypothesis import Hypothesis

STATEMENT_END = ";"


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement of a gene. name: of the part, such as "learn 2: w = u + w"."""

    name: str
    text: str
    new: bool
    """Whether the incumbent's gene lacks it."""


def parts(spec: ArenaSpec, hypothesis: Hypothesis) -> list[str]:
    """Parts in which a finding differs from its incumbent; none when it is one: there is nothing to take apart."""
    assert hypothesis.rule
    mine, other = hypothesis.rule.candidate.genome, hypothesis.rule.incumbent.genome
    found = list(_parts(spec, mine, other))
    return found if len(found) > 1 else []


def without(space: CandidateSpace, spec: ArenaSpec, hypothesis: Hypothesis, dropped: Collection[str]) -> Candidate:
    """The finding's candidate without some of its parts, in normal form: genes as the incumbent has them.

    Raises StudyError where the space does not admit it.
    """
    assert hypothesis.rule
    mine, other = hypothesis.rule.candidate.genome, hypothesis.rule.incumbent.genome
    genome = dict(mine)
    for name in mine:
        if name in dropped:
            del genome[name]
            genome |= {name: other[name]} if name in other else {}
        elif _in_statements(spec, name, mine[name]):
            kept = [one.text for one in _statements(name, mine[name], other.get(name, "")) if one.name not in dropped]
            genome[name] = f"{STATEMENT_END} ".join(kept)
    return Candidate(space.validate(genome))


def _parts(spec: ArenaSpec, mine: Genome, other: Genome) -> Iterator[str]:
    for name in sorted(mine):
        if mine[name] == other.get(name):
            continue
        if _in_statements(spec, name, mine[name]):
            yield from (one.name for one in _statements(name, mine[name], other.get(name, "")) if one.new)
        else:
            yield name


def _in_statements(spec: ArenaSpec, name: str, value: Scalar) -> bool:
    return name in spec.statements and isinstance(value, str) and bool(value.strip())


def _statements(name: str, text: Scalar, before: Scalar) -> list[_Statement]:
    """The statements of a gene, in their order; those that the incumbent's gene has as well are not new."""
    known = Counter(_split(before))
    found = []
    for number, statement in enumerate(_split(text), start=1):
        new = known[statement] == 0
        known[statement] -= not new
        found.append(_Statement(f"{name} {number}: {statement}", statement, new))
    return found


def _split(text: Scalar) -> list[str]:
    return [statement for one in str(text).split(STATEMENT_END) if (statement := one.strip())]

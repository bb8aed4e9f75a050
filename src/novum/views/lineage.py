"""What a hypothesis came from and what came from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from novum.core.events.campaign import IncumbentChanged
from novum.core.events.event import Record
from novum.core.events.proposals import HypothesisRegistered
from novum.core.model.candidate import Genome
from novum.core.model.errors import UserError
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.finding_grade import grade
from novum.core.state.hypothesis import Hypothesis
from novum.text.format import clean
from novum.views.candidate_changes import change_words
from novum.views.candidate_names import BASELINE, INCUMBENT
from novum.views.hypothesis_status import hypothesis_status

BUILT_ON, CHILD = "built on", "child of"


@dataclass(frozen=True, slots=True)
class Node:
    """A hypothesis, or the baseline (whose outcome and change are empty)."""

    id: str
    outcome: str
    reason: str
    grade: str
    e_value: float | None
    threshold: float | None
    author: str
    candidate: Genome
    change: str
    """Against its incumbent, in words."""


@dataclass(frozen=True, slots=True)
class Edge:
    """How `child` came from `origin`: built on it, as the incumbent to beat, or named as its child by a researcher."""

    child: str
    origin: str
    relation: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything that `id` came from, and everything that came from it, in the order of their registration."""

    id: str
    ancestors: tuple[str, ...]
    descendants: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class Ancestry:
    """Who came from whom: at each registration, the hypothesis that was the incumbent, and the parents it names."""

    def __init__(self, state: CampaignState) -> None:
        self.state = state
        self.origins: dict[str, dict[str, list[str]]] = {}
        self.offspring: dict[str, dict[str, list[str]]] = {}
        self._incumbent = BASELINE

    def take(self, record: Record) -> None:
        """One more record, which the state has folded."""
        event = record.event
        if isinstance(event, IncumbentChanged):
            self._incumbent = event.hypothesis or BASELINE
        elif isinstance(event, HypothesisRegistered):
            known = [one for one in event.parents if one in self.state.hypotheses and one != event.id]
            for relation, origin in [(BUILT_ON, self._incumbent), *((CHILD, one) for one in known)]:
                self.origins.setdefault(event.id, {}).setdefault(origin, []).append(relation)
                self.offspring.setdefault(origin, {}).setdefault(event.id, []).append(relation)

    def name(self, asked: str) -> str:
        """The hypothesis (or the baseline) that a name stands for. Raises UserError."""
        if asked == INCUMBENT:
            return self.state.incumbent.hypothesis or BASELINE
        if asked == BASELINE or asked in self.state.hypotheses:
            return asked
        about = [one.id for one in self.state.hypotheses.values() if one.candidate.id == asked]
        if len(about) > 1:
            raise UserError(f"{', '.join(about)} are all about the candidate {asked}: choose one of them")
        if not about:
            raise UserError(f"no hypothesis is called {clean(asked)!r}: give one (h7), baseline or incumbent")
        return about[0]


def lineage(found: Ancestry, name: str) -> Lineage:
    """The lineage of a hypothesis that `Ancestry.name` gave."""
    up, down = _reached(found.origins, name), _reached(found.offspring, name)
    order = {BASELINE: 0, **{one: place for place, one in enumerate(found.state.hypotheses, start=1)}}
    within = sorted({name, *up, *down}, key=order.__getitem__)
    inside = set(within)
    edges = [
        Edge(child, origin, " and ".join(dict.fromkeys(relations)))
        for child in within
        for origin, relations in found.origins.get(child, {}).items()
        if origin in inside
    ]
    return Lineage(
        id=name,
        ancestors=tuple(sorted(up, key=order.__getitem__)),
        descendants=tuple(sorted(down, key=order.__getitem__)),
        nodes=tuple(node(found.state, one) for one in within),
        edges=tuple(edges),
    )


def _reached(steps: Mapping[str, Mapping[str, object]], start: str) -> set[str]:
    """Everything on a way from `start`, itself left out."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = [one for one in steps.get(waiting.pop(), {}) if one not in reached and one != start]
        reached.update(fresh)
        waiting.extend(fresh)
    return reached


def node(state: CampaignState, name: str) -> Node:
    """One hypothesis, or the baseline."""
    if name == BASELINE:
        return Node(BASELINE, "", "", "", None, None, "", dict(state.incumbents[0].candidate.genome), "")
    hypothesis = state.hypotheses[name]
    now, verdict = hypothesis_status(state, hypothesis), hypothesis.verdict
    return Node(
        id=name,
        outcome=now.outcome,
        reason=now.reason,
        grade=grade(hypothesis) if verdict and verdict.verdict is Verdict.SUPPORTED else "",
        e_value=verdict.e_value if verdict else None,
        threshold=verdict.threshold if verdict else None,
        author=hypothesis.registered.author,
        candidate=dict(hypothesis.candidate.genome),
        change=_change(state, hypothesis),
    )


def _change(state: CampaignState, hypothesis: Hypothesis) -> str:
    incumbent = state.candidates[hypothesis.registered.incumbent].genome
    return change_words(state.study, hypothesis.candidate.genome, incumbent, 100)


def ancestors(found: Ancestry, name: str) -> list[str]:
    """Lines of a tree of what a hypothesis came from; what was shown already is named, but not opened again.

    No recursion: a line of descent may be longer than Python's stack.
    """
    lines: list[str] = []
    shown: set[str] = set()
    waiting = _branches(found.origins.get(name, {}), "")
    while waiting:
        prefix, last, (relations, origin) = waiting.pop()
        said = f"{origin} (shown above)" if origin in shown else in_words(node(found.state, origin))
        lines.append(f"{prefix}{_tick(last)}{relations} {said}")
        if origin not in shown:
            shown.add(origin)
            waiting += _branches(found.origins.get(origin, {}), prefix + _rail(last))
    return lines


def descendants(found: Ancestry, name: str) -> list[str]:
    """Lines of a tree of what came from a hypothesis, each once: below its parent, else below what it was built on."""
    inside = {name, *_reached(found.offspring, name)}
    below: dict[str, dict[str, list[str]]] = {}
    for child in found.state.hypotheses:
        origins = found.origins[child] if child in inside and child != name else {}
        if known := {origin: relations for origin, relations in origins.items() if origin in inside}:
            nearest = next((origin for origin, relations in known.items() if CHILD in relations), next(iter(known)))
            below.setdefault(nearest, {})[child] = known[nearest]
    lines: list[str] = []
    waiting = _branches(below.get(name, {}), "")
    while waiting:
        prefix, last, (relations, child) = waiting.pop()
        lines.append(f"{prefix}{_tick(last)}{in_words(node(found.state, child))}  [{relations} it]")
        waiting += _branches(below.get(child, {}), prefix + _rail(last))
    return lines


def _tick(last: bool) -> str:
    return "└─ " if last else "├─ "


def _rail(last: bool) -> str:
    return "   " if last else "│  "


def _branches(steps: Mapping[str, list[str]], prefix: str) -> list[tuple[str, bool, tuple[str, str]]]:
    """What hangs on a node: (prefix, whether it is the last, (relations, name)), the first one on top of the stack."""
    found = [(" and ".join(dict.fromkeys(relations)), name) for name, relations in steps.items()]
    return [(prefix, place == 0, one) for place, one in enumerate(reversed(found))]


def in_words(one: Node) -> str:
    """A node in one line."""
    if one.id == BASELINE:
        return clean("baseline: " + " ".join(f"{name}={value}" for name, value in one.candidate.items()))
    evidence = (
        "" if one.e_value is None or one.threshold is None else f" (E = {one.e_value:.3g} of {one.threshold:.3g})"
    )
    graded = f", {one.grade}" if one.grade else ""
    return clean(f"{one.id} {one.outcome}{graded}: {one.change}{evidence}")


def dot(found: Lineage) -> str:
    """The lineage as a graph for Graphviz; arrows point from the origin to what came from it."""
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(one.id)} [label={_quoted(in_words(one))}];" for one in found.nodes]
    lines += [f"  {_quoted(e.origin)} -> {_quoted(e.child)} [label={_quoted(e.relation)}];" for e in found.edges]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    """A string of the DOT language, in which a backslash would be obeyed."""
    return json.dumps(clean(text).replace("\\", "/"), ensure_ascii=False)

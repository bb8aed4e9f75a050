"""Random walk on a random graph: a source whose entropy is the mean logarithm of the degree."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour, other_seed
from novum.arenas.sequence.tasks.sampling import HALF, next_tokens, rng_of
from novum.arenas.sequence.tasks.task import Batch, Bools, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """Simple random walk on an Erdős-Rényi graph, a source of Barkeshli et al. (arXiv 2601.10684).

    A graph of n nodes in which each pair is an edge with probability mean_degree / (n - 1), drawn from `source_seed`;
    its largest connected component. A walk starts in the stationary distribution pi_i = deg_i / 2E and goes to a
    uniform neighbour at each step; tokens are nodes. Every token is labelled with the next node, and all count.

    The next node depends on the present one alone, so the entropy is H = sum_i pi_i log deg_i, exactly, at every
    position. Nodes outside the component never occur, but are part of the vocabulary.
    """

    length: Annotated[int, Ge(1), Le(1 << 16)] = 64
    nodes: Annotated[int, Ge(2), Le(1 << 12)] = 256
    mean_degree: Annotated[float, Gt(0), Le(1 << 12)] = 8.0
    source_seed: Annotated[int, Ge(0), Le((1 << 32) - 1)] = 0

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.mean_degree > self.nodes - 1:
            raise StudyError(f"random_walk: mean_degree must be at most nodes - 1, not {self.mean_degree}")
        if not len(self._graph.source):
            raise StudyError("random_walk: the graph has no edge: choose a larger mean_degree or another source_seed")

    @property
    def vocabulary(self) -> int:
        return self.nodes

    @property
    def outputs(self) -> int:
        return self.nodes

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        degrees = self._graph.degree
        return float(degrees.max() / degrees.sum())

    @property
    def entropy(self) -> float:
        degrees = self._graph.degree[self._graph.degree > 0]
        return float(degrees @ np.log(degrees) / degrees.sum())

    @property
    def _graph(self) -> Graph:
        return _graph(self.nodes, self.mean_degree, self.source_seed)

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        graph, steps = self._graph, self.length
        degree_N = graph.degree.astype(np.uint64)
        words_TxB = rng.integers(0, 2**32, (steps, rows), dtype=np.uint32).astype(np.uint64)
        nodes_T1xB = np.empty((steps + 1, rows), dtype=np.int64)
        # The source of a uniform directed edge is a node with probability proportional to its degree.
        nodes_T1xB[0] = node_B = graph.source[rng.integers(0, len(graph.source), rows)]
        for step in range(steps):
            edge_B = graph.first[node_B] + ((words_TxB[step] * degree_N[node_B]) >> HALF).view(np.int64)
            nodes_T1xB[step + 1] = node_B = graph.target[edge_B]
        return next_tokens(nodes_T1xB.T)

    def variant(self, role: Role) -> RandomWalk:
        """Gate and final: another graph each."""
        gate, final = ([{"source_seed": other_seed(self.source_seed, one)}] for one in (Role.GATE, Role.FINAL))
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> RandomWalk:
        """`factor` times the steps."""
        return lengthened(self, factor, length=factor * self.length)


@dataclass(frozen=True, slots=True)
class Graph:
    """A connected graph as directed edges `source` -> `target` [2E], sorted by source.

    Those of node i begin at `first` [N] and are `degree` [N] many; nodes outside the component have degree 0.
    """

    source: Ints
    target: Ints
    first: Ints
    degree: Ints


@lru_cache(maxsize=32)
def _graph(nodes: int, mean_degree: float, seed: int) -> Graph:
    chance = mean_degree / (nodes - 1)
    upper = np.triu(rng_of("random_walk", nodes, mean_degree, seed).random((nodes, nodes)) < chance, 1)
    edges = upper | upper.T
    inside = _largest_component(edges)
    edges &= inside[:, None]  # no edge leads out of a component
    source, target = np.nonzero(edges)
    degree = edges.sum(axis=1)
    return Graph(source, target, np.cumsum(degree) - degree, degree)


def _largest_component(edges_NxN: Bools) -> Bools:
    """Which nodes are in the connected component with most nodes (the first of equals), [N]."""
    left = np.ones(len(edges_NxN), dtype=np.bool_)
    best = np.zeros_like(left)
    while left.sum() > best.sum():
        found = np.zeros_like(left)
        front = np.zeros_like(left)
        front[np.argmax(left)] = True
        while front.any():
            found |= front
            front = edges_NxN[front].any(axis=0) & ~found
        left &= ~found
        best = found if found.sum() > best.sum() else best
    return best

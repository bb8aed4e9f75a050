"""What the charts draw: one frozen dataclass per kind of mark, in the units that its axis shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """A finding's effect in metric units, positive is better; low and high are None without an interval."""

    id: str
    claim: str
    effect: float
    low: float | None
    high: float | None
    pairs: int
    source: str


@dataclass(frozen=True, slots=True)
class Score:
    """A screening score at a campaign cost x."""

    x: float
    score: float
    candidate: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """An incumbent from cost x to x2: mean score on fresh seeds, low and high two standard errors away."""

    x: float
    x2: float
    mean: float
    low: float
    high: float
    id: str
    claim: str
    runs: int


@dataclass(frozen=True, slots=True)
class Path:
    """The e-value of one confirmation after 0, 1, 2 ... pairs, and the threshold at its end."""

    key: str
    id: str
    claim: str
    outcome: str
    values: tuple[float, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Amount:
    """A bar: how much of what."""

    name: str
    amount: float
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A hypothesis in the genealogy."""

    id: str
    x: int
    y: float
    """Screening advantage in metric units, positive is better."""
    outcome: str
    judged: bool
    claim: str
    author: str
    note: str


@dataclass(frozen=True, slots=True)
class Edge:
    """From a parent (x, y) to its child (x2, y2)."""

    x: int
    y: float
    x2: int
    y2: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One confirmation in the evidence ledger. stake and cash are shares of the evidence at the start."""

    position: int
    id: str
    outcome: str
    stake: float
    cash: float
    threshold: float
    e_value: float

"""Tables: two classes of rows, made up to learn from beforehand, and real ones to be asked about.

The real ones are scikit-learn's copies of iris (Fisher 1936), wine (Forina 1991), breast cancer (Street, Wolberg and
Mangasarian 1993) and digits (Alpaydin and Kaynak 1998).
Every row belongs to one role, by a permutation that never changes, so that no row of the search comes back at the gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from novum.arenas.digits.data import FILE as DIGITS
from novum.arenas.digits.data import FILE_DIGEST
from novum.arenas.digits.packaged_tables import table_text
from novum.core.model.trial import Role
from novum.population.streams import stream

Floats = NDArray[np.float64]
COLUMNS = 8
"""Features of a task, drawn from those of its table; a table with fewer is filled up with zeros."""
DIGESTS: Mapping[str, str] = {
    "iris.csv": "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449",
    "wine_data.csv": "10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede",
    "breast_cancer.csv": "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
    DIGITS: FILE_DIGEST,
}
"""SHA-256 of the tables as text."""
ROLES = (Role.SEARCH, Role.GATE, Role.FINAL)


@dataclass(frozen=True, slots=True)
class Table:
    """Standardised features [rows, columns] without constant ones, and classes [rows]."""

    features: Floats
    classes: NDArray[np.int64]


def made_up(rng: np.random.Generator, tasks: int, shots: int, questions: int) -> tuple[Floats, Floats]:
    """Inputs [tasks, shots + questions, COLUMNS] and labels -1 or 1.

    Features are normal with a random covariance, some of them zero; classes are parted by a plane, by a random network,
    or are two clouds. Questions follow after the examples, of which every second is of the other class.
    """
    pool = 8 * (shots + questions)
    inputs = np.einsum("tpc,tcd->tpd", rng.normal(size=(tasks, pool, COLUMNS)), _mixing(rng, tasks))
    inputs /= inputs.std(1, keepdims=True)
    kinds = rng.integers(3, size=tasks)
    clouds = rng.choice([-1.0, 1.0], size=(tasks, pool))
    apart = rng.normal(size=(tasks, 1, COLUMNS)) * rng.uniform(0.3, 1.0, size=(tasks, 1, 1))
    inputs = np.where((kinds == 2)[:, None, None], inputs + clouds[..., None] * apart, inputs)
    inputs -= inputs.mean(1, keepdims=True)
    inputs /= inputs.std(1, keepdims=True)
    plane = np.einsum("tpc,tc->tp", inputs, rng.normal(size=(tasks, COLUMNS)))
    hidden = np.maximum(0, np.einsum("tpc,tch->tph", inputs, rng.normal(size=(tasks, COLUMNS, 16))))
    network = np.einsum("tph,th->tp", hidden, rng.normal(size=(tasks, 16)))
    values = np.where((kinds == 0)[:, None], plane, network)
    labels = np.where(values > np.median(values, 1, keepdims=True), 1.0, -1.0)
    labels = np.where((kinds == 2)[:, None], clouds, labels)
    absent = rng.random(size=(tasks, 1, COLUMNS)) < rng.choice([0.0, 0.3], size=(tasks, 1, 1))
    inputs = np.where(absent, 0.0, inputs)
    chosen = [_alternating(rng, one, shots, questions) for one in labels]
    rows = np.arange(tasks)[:, None]
    return inputs[rows, chosen], labels[rows, chosen]


def real(rng: np.random.Generator, role: Role, tasks: int, shots: int, questions: int) -> tuple[Floats, Floats]:
    """The same of real rows that belong to `role`, of a table, two classes and columns drawn for each task.

    Raises MissingExtra or UserError.
    """
    inputs, labels = np.zeros((tasks, shots + questions, COLUMNS)), np.empty((tasks, shots + questions))
    for task in range(tasks):
        name = list(DIGESTS)[int(rng.integers(len(DIGESTS)))]
        table = _part(name, role)
        first, second = rng.choice(np.unique(table.classes), size=2, replace=False)
        rows = np.flatnonzero((table.classes == first) | (table.classes == second))
        sides = np.where(table.classes[rows] == first, 1.0, -1.0)
        chosen = _alternating(rng, sides, shots, questions)
        columns = rng.permutation(table.features.shape[1])[:COLUMNS]
        inputs[task, :, : columns.size] = table.features[np.ix_(rows[chosen], columns)]
        labels[task] = sides[chosen]
    return inputs, labels


def data_hashes() -> Mapping[str, str]:
    """SHA-256 of each table."""
    return DIGESTS


def _mixing(rng: np.random.Generator, tasks: int) -> Floats:
    """Matrices that make features depend on each other, more or less."""
    mixed: Floats = rng.normal(size=(tasks, COLUMNS, COLUMNS)) * rng.uniform(0, 1, size=(tasks, 1, 1))
    return mixed + np.eye(COLUMNS)


def _alternating(rng: np.random.Generator, sides: Floats, shots: int, questions: int) -> NDArray[np.int64]:
    """Places of examples, the classes in turn, and of questions among the rest, drawn again where there are few."""
    order = rng.permutation(sides.size)
    one, other = order[sides[order] > 0], order[sides[order] < 0]
    if rng.random() < 0.5:
        one, other = other, one
    halves = (shots + 1) // 2, shots // 2
    examples = np.empty(shots, np.int64)
    examples[::2], examples[1::2] = one[: halves[0]], other[: halves[1]]
    rest = np.concatenate([one[halves[0] :], other[halves[1] :]])
    asked = rng.choice(rest, size=questions, replace=rest.size < questions)
    return np.concatenate([examples, asked])


@cache
def _part(name: str, role: Role) -> Table:
    """The rows of a table that belong to a role, standardised by themselves, without their classes."""
    whole = _table(name)
    order = stream(0, f"adaptation/{name}").permutation(whole.classes.size)
    mine = np.sort(order[ROLES.index(role) :: len(ROLES)])
    features = whole.features[mine]
    features = features[:, features.std(0) > 0]
    return Table((features - features.mean(0)) / features.std(0), whole.classes[mine])


@cache
def _table(name: str) -> Table:
    lines = table_text(name, DIGESTS[name], "the task 'tables'").splitlines()
    numbers = np.loadtxt(lines if name == DIGITS else lines[1:], delimiter=",")
    return Table(numbers[:, :-1], numbers[:, -1].astype(np.int64))

"""All parsers of foreign bytes: only declared errors, linear time, bounded memory, whatever they are given."""

from __future__ import annotations

import ast
import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from foreign_parsers import FOREIGN_PARSERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novum.core.model.trial import ArtefactError
from novum.text.bounded_json import BOUNDS, JsonBounds, JsonTooLargeError, load_json

ROOT = Path(__file__).parents[1] / "src" / "novum"
MEMORY = 4 << 20


def survived(name: str, data: bytes) -> None:
    parser = FOREIGN_PARSERS[name]
    with contextlib.suppress(*parser.errors):
        parser.read(data)


@pytest.mark.parametrize("name", FOREIGN_PARSERS)
def test_what_it_is_meant_for_and_its_beginnings(name):
    for seed in FOREIGN_PARSERS[name].seeds:
        survived(name, seed)
        for end in {*range(min(len(seed), 40)), len(seed) // 2, len(seed) - 1}:
            survived(name, seed[:end])
            survived(name, seed + seed[:end])


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "cut", "copy", "flip"]), st.integers(0, 10**6), st.binary(min_size=1, max_size=4),
        st.integers(1, 60),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def mutated(data: bytes, mutations) -> bytes:
    for kind, place, some, size in mutations:
        at = place % (len(data) + 1)
        if kind == "put":
            data = data[:at] + some + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + size :]
        elif kind == "copy":
            data = data[:at] + data[at : at + size] * 3 + data[at:]
        elif at < len(data):
            data = data[:at] + bytes([data[at] ^ some[0]]) + data[at + 1 :]
    return data


@pytest.mark.parametrize("name", FOREIGN_PARSERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_but_what_it_declares_is_raised(name, data):
    parser = FOREIGN_PARSERS[name]
    survived(name, mutated(data.draw(st.sampled_from(parser.seeds)), data.draw(MUTATIONS)))
    survived(name, data.draw(st.binary(max_size=200)))
    if parser.units:
        survived(name, b"".join(data.draw(st.lists(st.sampled_from(parser.units), max_size=40))))


def attacks(name: str) -> list[tuple[bytes, bytes]]:
    """(before, repeated): each unit by itself, and behind the beginning of what is meant."""
    parser = FOREIGN_PARSERS[name]
    seed = parser.seeds[0]
    return [(before, unit) for unit in parser.units for before in {b"", seed, seed[: len(seed) // 2]}]


def seconds(name: str, data: bytes) -> float:
    began = time.process_time()
    survived(name, data)
    return time.process_time() - began


@pytest.mark.parametrize("name", FOREIGN_PARSERS)
def test_its_time_is_linear(name):
    """CPU time, the best of a few tries, so that nothing else on the machine counts."""
    for before, unit in attacks(name):
        short, long = (before + unit * (size // len(unit)) for size in (4_000, 32_000))
        quick = min(seconds(name, short) for _ in range(2))
        assert any(seconds(name, long) < 8 * 4 * quick + 0.1 for _ in range(5)), (before[:20], unit)
        assert quick < 1.0, (before[:20], unit)


def peak(read: Callable[[], object]) -> int:
    """The most bytes that Python's objects take while something is read."""
    tracemalloc.start()
    read()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("name", FOREIGN_PARSERS)
def test_its_memory_is_bounded(name):
    for unit in FOREIGN_PARSERS[name].units:
        data = unit * ((1 << 15) // len(unit))
        assert peak(partial(survived, name, data)) < FOREIGN_PARSERS[name].memory * len(data) + MEMORY, unit


@pytest.mark.parametrize("unit", [b"{}", b'{"a":{}}', b'{"a":1,"b":[2]}'])
def test_json_of_many_values_is_refused_before_it_is_built(unit):
    data = b"[" + (unit + b",") * ((1 << 20) // (len(unit) + 1)) + unit + b"]"
    bounds = JsonBounds(values=20_000, containers=5_000)

    def read() -> None:
        with pytest.raises(JsonTooLargeError):
            load_json(data, bounds)

    assert peak(read) < len(data)
    assert peak(lambda: json.loads(data)) > 5 * len(data)


def test_files_of_foreign_programs_have_bounds_on_their_values():
    data = b"[" + b"{}," * BOUNDS.containers + b"{}]"
    with pytest.raises(ArtefactError, match="it holds more than"):
        FOREIGN_PARSERS["a JSON output"].read(data)
    assert peak(partial(survived, "an agent's edit", data)) < 2 * len(data)


OWN = {
    "agents/sandbox_main.py": "the plan that the lab sent in",
    "arenas/sequence/context_cost.py": "one line of its own process",
    "arenas/sequence/scaling_cell.py": "one line of its own process",
    "arenas/sequence/scaling_trial.py": "the cell that the lab sent in",
    "arenas/program/scorer.py": "answers of its own process", "arenas/program/scoring.py": "questions of the lab",
    "ledger/codec.py": "events of the record, which is signed", "ledger/exact_form.py": "the same, key by key",
    "ledger/snapshot.py": "its own snapshots",
    "lab/wiring.py": "options that it wrote itself", "text/bounded_json.py": "after the bounds",
    "text/json_in_prose.py": "one text between quotes",
}  # fmt: skip
"""Files that call json.loads by itself, and what they read with it."""


def test_json_from_outside_is_read_within_bounds():
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("loads", "load") and ast.unparse(node.value) == "json":
                found.add(path.relative_to(ROOT).as_posix())
    assert found == set(OWN)

"""Rewrites of descent that a program writes out: each parameter has a memory of its own, which outlives a pass."""

from __future__ import annotations

import pytest

from novum.source.mutate import all_rewrites, product
from novum.source.space import SourceSpace

KEYED = """
import numpy as np

rng = np.random.default_rng(0)
target = {"w": np.ones((2, 3)), "b": np.ones(3)}
p = {name: np.zeros_like(value) for name, value in target.items()}
for step in range(40):
    grad = {name: p[name] - target[name] for name in p}
    for name in p:
        p[name] -= 0.01 * grad[name]
loss = float(sum(((p[name] - target[name]) ** 2).sum() for name in p))
"""
PLAIN = "x = 1.0\nfor step in range(40):\n    grad = 2 * x\n    x -= 0.01 * grad\nloss = x * x\n"
INNER = "p = {'a': 1.0, 'b': 2.0}\nfor k in p:\n    p[k] -= 0.1 * p[k]\nloss = sum(p.values())\n"


def products(text: str) -> dict[str, float]:
    space = SourceSpace({"t.py": text})
    found = {}
    for mutation in all_rewrites(space, {}):
        genome = product(space, {}, [mutation])
        if mutation.operator in ("rewrite.decay", "rewrite.momentum", "rewrite.scaled") and genome:
            scope: dict[str, object] = {}
            exec(genome["t.py"], scope)  # the product must run
            found[mutation.operator] = scope["loss"]
    return found


@pytest.mark.parametrize("text", [KEYED, PLAIN])
def test_every_product_runs_and_descends_otherwise(text):
    found = products(text)
    scope: dict[str, object] = {}
    exec(text, scope)
    assert set(found) == {"rewrite.decay", "rewrite.momentum", "rewrite.scaled"}
    assert found["rewrite.momentum"] < scope["loss"] < found["rewrite.decay"]
    assert found["rewrite.scaled"] not in (scope["loss"], pytest.approx(0.0, abs=1e-12))


def test_a_single_pass_over_parameters_gets_none():
    assert not products(INNER)

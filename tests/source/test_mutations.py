"""Mutations of real programs: they parse, touch only what they name, and mean something else."""

from __future__ import annotations

import bisect
import colorsys
import heapq
import random
import statistics
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.source.blocks import fixed
from novum.source.literals import skeleton, with_values, written
from novum.source.mutate import all_mutations, all_rewrites, by_operator, mutations, product
from novum.source.program_text import program
from novum.source.rewrites import rewrites
from novum.source.source_text import Edit, apply
from novum.source.space import SourceSpace

SEARCH = """\
import random


def cost(x, y):
    return (x - 1) ** 2 + (y + 2) ** 2


# EVOLVE-BLOCK-START
def search(seed, trials=100):
    rng = random.Random(seed)
    best, point = cost(0.0, 0.0), (0.0, 0.0)
    for _ in range(trials):
        x, y = rng.uniform(-5, 5), rng.uniform(-5, 5)
        value = cost(x, y)
        if value < best:
            best, point = value, (x, y)
    return point
# EVOLVE-BLOCK-END


NAME = "größe"  # a fixed line with characters of several bytes
"""
DESCENT = """\
def fit(xs, ys):
    größe = 0.0; w = 0.0
    for epoch in range(50):
        grad = sum((w * x - y) * x for x, y in zip(xs, ys))
        w -= 0.01 * grad
    return w
"""
LEARNER = """\
from sklearn.linear_model import LogisticRegression


def judge(model, x, y):
    return model.score(x, y)


# EVOLVE-BLOCK-START
@staticmethod
def make(kind="log"):
    return LogisticRegression(C=0.001, max_iter=20, random_state=3)
# EVOLVE-BLOCK-END
"""
CORPUS = {
    "search.py": SEARCH,
    "descent.py": DESCENT,
    "learner.py": LEARNER,
    **{
        f"{m.__name__}.py": Path(m.__file__).read_text("utf-8") for m in (bisect, colorsys, heapq, statistics, textwrap)
    },
}
SPACES = {path: SourceSpace({path: text}) for path, text in CORPUS.items()}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CORPUS)), st.integers(0, 10**6), st.integers(1, 3))
def test_products_compile_keep_all_other_text_and_mean_something_else(path, number, depth):
    space, genome = SPACES[path], {}
    for _ in range(depth):
        text = space.text(genome, path)
        found = [*mutations(text, path), *rewrites(text, path)]
        mutation = found[number % len(found)]
        made = mutation.apply(text)
        first, last = min(mutation.edits), max(mutation.edits, key=lambda edit: edit.end)
        assert made.startswith(text[: first.start])
        assert made.endswith(text[last.end :])
        child = product(space, genome, [mutation])
        if child is None:
            continue
        compile(space.complete(child)[path], path, "exec")
        assert space.validate(child) == child
        assert space.key(child) != space.key(genome)
        assert fixed(space.text(child, path)) == fixed(text)
        genome = child


@pytest.mark.parametrize("path", sorted(CORPUS))
def test_most_mutations_hold_up_and_say_where_they_are(path):
    space = SPACES[path]
    found = random.Random(1).sample(all_mutations(space, {}), min(60, len(all_mutations(space, {}))))
    kept = [mutation for mutation in found if product(space, {}, [mutation])]
    assert len(kept) > 0.6 * len(found)
    for mutation in found:
        assert mutation.words.endswith(f" at {path}:{mutation.line}")
        assert program(CORPUS[path], path).open(mutation.edits[0].start, mutation.edits[0].end)


def test_the_operators_cover_expressions_statements_and_rewrites():
    names = {name for path in CORPUS for name in by_operator(mutations(CORPUS[path], path))}
    assert {name.split(".")[0] for name in names} == {
        *("argument", "condition", "name", "number", "operator", "range", "statement")
    }
    assert {name for path in CORPUS for name in by_operator(rewrites(CORPUS[path], path))} == {
        *("rewrite.anneal", "rewrite.climb", "rewrite.compass", "rewrite.explore", "rewrite.refine", "rewrite.scales"),
        *("rewrite.decay", "rewrite.momentum", "rewrite.scaled", "rewrite.longer"),
        *("rewrite.ensemble", "rewrite.estimator", "rewrite.settings", "rewrite.step"),
    }


@pytest.mark.parametrize("path", ["search.py", "descent.py", "learner.py"])
def test_every_rewrite_of_the_library_holds_up(path):
    space = SPACES[path]
    assert all(product(space, {}, [rewrite]) for rewrite in all_rewrites(space, {}))


def test_rewritten_searches_run_and_end_nearer_to_the_optimum():
    def miss(text: str) -> float:
        names: dict[str, object] = {}
        exec(compile(text, "search.py", "exec"), names)
        return sum(names["cost"](*names["search"](seed)) for seed in range(20)) / 20

    before = miss(SEARCH)
    found = {m.operator: miss(m.apply(SEARCH)) for m in rewrites(SEARCH, "search.py")}
    assert len(found) == 7
    for operator, after in found.items():
        assert after < before, operator
    assert min(found.values()) < 0.01 * before


def test_rewritten_descents_run():
    xs = [0.1 * i for i in range(10)]
    for rewrite in rewrites(DESCENT, "descent.py"):
        names: dict[str, object] = {}
        exec(compile(rewrite.apply(DESCENT), "descent.py", "exec"), names)
        assert abs(names["fit"](xs, [3 * x for x in xs]) - 3) < 2.5, rewrite.words


def test_a_best_point_that_may_be_none_is_asked_first():
    text = SEARCH.replace("(0.0, 0.0)\n", "None\n")
    climb = next(m for m in rewrites(text, "search.py") if m.operator == "rewrite.climb")
    names: dict[str, object] = {}
    exec(compile(climb.apply(text), "search.py", "exec"), names)
    assert len(names["search"](0)) == 2


def test_imports_are_added_inside_the_block_before_decorators():
    space = SPACES["learner.py"]
    swap = next(m for m in all_rewrites(space, {}) if m.operator == "rewrite.estimator")
    text = product(space, {}, [swap])["learner.py"]
    assert "# EVOLVE-BLOCK-START\nfrom sklearn." in text
    assert "\n@staticmethod\ndef make" in text


def test_seeds_are_not_tuned():
    assert "random_state" not in " ".join(literal.name for literal in skeleton(LEARNER, "learner.py").literals)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(CORPUS)), st.data())
def test_literals_are_read_back_as_they_were_written(path, data):
    text = CORPUS[path]
    found = skeleton(text, path).literals
    index = data.draw(st.integers(0, len(found) - 1))
    kind = type(found[index].value)
    numbers = {bool: st.booleans(), int: st.integers(-1000, 1000), float: st.floats(-1e6, 1e6)}[kind]
    value = data.draw(numbers.filter(lambda x: x != 0))
    changed = skeleton(with_values(text, path, {index: value}), path).literals
    assert len(changed) == len(found)
    assert written(changed[index].value) == written(value)
    assert [x.value for i, x in enumerate(changed) if i != index] == [
        x.value for i, x in enumerate(found) if i != index
    ]


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.text(max_size=3)), max_size=4))
def test_edits_keep_what_lies_between_them(text, inserts):
    edits = [Edit(min(at, len(text)), min(at, len(text)), new) for at, new in inserts]
    made = apply(text, edits)
    assert len(made) == len(text) + sum(len(new) for _, new in inserts)
    assert apply(made, []) == made
    if not inserts:
        assert made == text

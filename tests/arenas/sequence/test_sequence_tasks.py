"""Every task keeps the promises of the protocol, whatever its options."""

import dataclasses
import typing

import numpy as np
import pytest

from novum.arenas.sequence.tasks.registry import TASKS, make_task
from novum.arenas.sequence.tasks.task import Extrapolates, ReadsFromLastToken, ScoredOnOthers
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

SETTINGS = [(name, {}) for name in TASKS] + [
    ("mqar", {"length": 20, "vocabulary": 16, "keys": 5, "filler": "random"}),
    ("mqar", {"length": 4, "vocabulary": 8, "keys": 1}),
    ("overwrite", {"keys": 3, "writes": 5, "asked": 2, "vocabulary": 9}),
    ("overwrite", {"keys": 1, "writes": 1, "asked": 1, "vocabulary": 4}),
    ("compositional_mqar", {"length": 55, "vocabulary": 31, "grid": 3, "filler": "random"}),
    ("in_context_recall", {"length": 3, "vocabulary": 5}),
    ("noisy_in_context_recall", {"length": 33, "vocabulary": 9, "noise_tokens": 2, "noise": 0.9}),
    ("fuzzy_in_context_recall", {"length": 50, "vocabulary": 12, "key_tokens": 3, "value_tokens": 3}),
    ("fuzzy_in_context_recall", {"length": 40, "longest_keys": True}),
    ("selective_copying", {"length": 4, "vocabulary": 4, "copied": 1}),
    ("memorization", {"length": 2, "vocabulary": 21, "map_seed": 7}),
    ("parity", {"length": 9, "labels": "last", "shortest": 3}),
    ("modular_arithmetic", {"length": 9, "modulus": 6, "labels": "last", "shortest": 3}),
    ("modular_arithmetic", {"length": 1, "modulus": 2}),
    ("permutation_product", {"length": 7, "points": 3, "labels": "last"}),
    ("stacks", {"stacks": 3, "operations": 7, "pops": 3, "elements": 2}),
    ("palindrome", {"length": 2, "vocabulary": 3}),
    ("needle", {"length": 40, "filler": "distinct", "needles": 5, "keys": 5, "values": 2}),
    ("random_walk", {"nodes": 20, "mean_degree": 1.5, "length": 5}),
    ("markov_chain", {"vocabulary": 3, "order": 4, "length": 9}),
    ("hidden_markov", {"states": 3, "symbols": 2, "transitions": "permutations"}),
    ("stdlib_bytes", {"length": 20, "part": "final", "scoring": True}),
]
EVERY = pytest.mark.parametrize(("name", "options"), SETTINGS, ids=lambda one: str(one) if one else "-")


def stream(seed=0):
    return np.random.Generator(np.random.Philox(seed))


def equal(one, other):
    return all(np.array_equal(getattr(one, part.name), getattr(other, part.name)) for part in dataclasses.fields(one))


def check(task, batch, rows):
    assert batch.tokens.shape == (rows, task.length)
    assert batch.positions.shape == batch.answers.shape == batch.scored.shape == (rows, task.queries)
    for part, kind in ((batch.tokens, "i8"), (batch.positions, "i8"), (batch.answers, "i8"), (batch.scored, "?")):
        assert part.dtype == np.dtype(kind)
        assert part.flags.writeable
        assert part.flags.c_contiguous
    assert 0 <= batch.tokens.min() <= batch.tokens.max() < task.vocabulary
    assert 0 <= batch.answers.min() <= batch.answers.max() < task.outputs
    assert batch.scored.any(axis=1).all()
    if isinstance(task, ReadsFromLastToken):
        assert (batch.positions == task.length - 1).all()
    else:
        assert (np.diff(batch.positions, axis=1) > 0).all()
        assert 0 <= batch.positions.min() <= batch.positions.max() < task.length


@EVERY
@pytest.mark.parametrize("rows", [1, 37, 600])
def test_sizes_types_and_ranges_do_not_depend_on_the_draw(name, options, rows):
    task = make_task(name, options)
    for seed in range(3):
        check(task, task.batch(stream(seed), rows), rows)


@EVERY
def test_all_randomness_comes_from_the_generator(name, options):
    task = make_task(name, options)
    again = make_task(name, dataclasses.asdict(task))
    assert again == task
    assert equal(task.batch(stream(), 40), again.batch(stream(), 40))
    one = stream()
    assert not equal(task.batch(one, 40), task.batch(one, 40))


@EVERY
def test_batches_share_no_memory(name, options):
    """A trainer may write into a batch without changing the task or another batch."""
    task = make_task(name, options)
    first, untouched = task.batch(stream(), 9), task.batch(stream(), 9)
    for part in dataclasses.fields(first):
        getattr(first, part.name)[:] = 0
    assert equal(task.batch(stream(), 9), untouched)


def accuracy(guess, batch):
    """Share of scored answers that equal the guess, and its standard error with whole rows as the sample."""
    right, asked = ((batch.answers == guess) & batch.scored).sum(1), batch.scored.sum(1)
    share = right.sum() / asked.sum()
    return share, (right - share * asked).std() / asked.mean() / np.sqrt(len(asked))


@EVERY
def test_chance_is_the_accuracy_of_the_best_guess_that_ignores_the_input(name, options):
    task = make_task(name, options)
    seen, fresh = task.batch(stream(1), 4000), task.batch(stream(2), 4000)
    counts = np.zeros((task.queries, task.outputs))
    np.add.at(counts, (np.arange(task.queries), seen.answers), seen.scored)
    for guess in (counts.sum(0).argmax(), counts.argmax(1)):
        reached, error = accuracy(guess, fresh)
        assert reached < task.chance + 4.5 * error + 1e-9
    reached, error = accuracy(counts.sum(0).argmax(), fresh)
    assert reached > task.chance - 4.5 * error - 2e-3


@EVERY
def test_gate_and_final_trials_have_parameters_of_their_own(name, options):
    task = make_task(name, options)
    assert task.variant(Role.SEARCH) == task
    gate, final = task.variant(Role.GATE), task.variant(Role.FINAL)
    assert len({task, gate, final}) == 3
    assert task.variant(Role.GATE) == gate
    for other in (gate, final):
        assert (other.vocabulary, other.outputs) == (task.vocabulary, task.outputs)
        check(other, other.batch(stream(), 50), 50)
        assert not equal(other.batch(stream(), 50), task.batch(stream(), 50))


@EVERY
def test_a_longer_task_is_the_same_task(name, options):
    task = make_task(name, options)
    if not isinstance(task, Extrapolates):
        assert name in ("compression", "memorization")
        return
    for factor in (2, 5):
        longer = task.longer(factor)
        assert abs(longer.length - factor * task.length) <= factor + task.queries
        assert (longer.vocabulary, longer.outputs) == (task.vocabulary, task.outputs)
        assert longer.entropy == task.entropy
        check(longer, longer.batch(stream(), 20), 20)
    for factor in (1, 9):
        with pytest.raises(StudyError, match="2 to 8"):
            task.longer(factor)


@EVERY
def test_held_out_data_fit_the_same_model(name, options):
    task = make_task(name, options)
    if not isinstance(task, ScoredOnOthers):
        assert name not in ("fuzzy_in_context_recall", "stdlib_bytes")
        return
    other = task.held_out()
    assert other.held_out() == other
    assert [getattr(other, part) for part in ("vocabulary", "outputs", "length", "queries")] == [
        getattr(task, part) for part in ("vocabulary", "outputs", "length", "queries")
    ]
    check(other, other.batch(stream(), 50), 50)


@EVERY
def test_an_entropy_that_is_known_is_that_of_the_answers_or_less(name, options):
    task = make_task(name, options)
    assert task.entropy is None or 0 <= task.entropy <= np.log(task.outputs)
    assert 0 < task.chance < 1


def bounds(hint):
    low, high = 0, 40
    for one in typing.get_args(hint)[1:]:
        low = getattr(one, "ge", getattr(one, "gt", low))
        high = min(high, getattr(one, "le", high))
    return low, high


def random_options(kind, rng):
    """Options within their own bounds; they may contradict each other."""
    found = {}
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        bare = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
        if typing.get_origin(hint) is typing.Literal:
            found[name] = str(rng.choice(typing.get_args(hint)))
        elif bare is int:
            low, high = bounds(hint)
            found[name] = int(rng.integers(low, max(low, high) + 1))
        elif bare is float:
            low, high = bounds(hint)
            found[name] = float(rng.uniform(low + 0.01, high))
        else:
            found[name] = bool(rng.integers(2))
    return found


@pytest.mark.parametrize("name", sorted(set(TASKS) - {"stdlib_bytes"}))
def test_whatever_the_options_there_are_neighbours_for_gate_and_final(name):
    rng, tried = np.random.default_rng(3), 0
    for _ in range(4000):
        try:
            task = make_task(name, random_options(TASKS[name], rng))
        except StudyError:
            continue
        gate, final = task.variant(Role.GATE), task.variant(Role.FINAL)
        assert len({task, gate, final}) == 3
        assert {one.vocabulary for one in (task, gate, final)} == {task.vocabulary}
        for one in (task, gate, final):
            check(one, one.batch(rng, 2), 2)
        tried += 1
        if tried == 25:
            return
    raise AssertionError(f"only {tried} valid options were drawn")


LARGEST = [
    ("mqar", {"length": 1 << 16, "keys": 1 << 12, "vocabulary": 1 << 16}),
    ("parity", {"length": 1 << 16, "labels": "last", "shortest": 1 << 16}),
    ("modular_arithmetic", {"length": (1 << 16) - 1, "labels": "last", "shortest": (1 << 16) - 1}),
    ("noisy_in_context_recall", {"noise": 0.9}),
    ("noisy_in_context_recall", {"noise": 0.0, "length": 3}),
    ("stacks", {"operations": 1 << 12, "pops": 1 << 11}),
    ("overwrite", {"keys": 15, "writes": 1 << 10, "asked": 1, "vocabulary": 32}),
    ("compositional_mqar", {"length": 6 * 100, "grid": 10, "vocabulary": 300}),
    ("needle", {"length": 1 << 16}),
    ("palindrome", {"length": 1 << 16}),
    ("selective_copying", {"length": 1 << 16, "copied": 1 << 12}),
    ("fuzzy_in_context_recall", {"length": 1 << 16}),
    ("in_context_recall", {"length": (1 << 16) - 1}),
    ("compression", {"length": 1 << 12}),
    ("memorization", {"map_seed": (1 << 32) - 1}),
]


@pytest.mark.parametrize(("name", "options"), LARGEST, ids=lambda one: str(one))
def test_at_the_bounds_there_are_neighbours_too(name, options):
    task = make_task(name, options)
    assert len({task, task.variant(Role.GATE), task.variant(Role.FINAL)}) == 3


def test_a_task_longer_than_allowed_is_refused():
    with pytest.raises(StudyError, match="length"):
        make_task("mqar", {"length": 1 << 14}).longer(8)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("mqrr", {}, ["mqrr", "mqar", "stdlib_bytes"]),
        ("mqar", {"keyes": 3}, ["keyes", "the task mqar", "vocabulary"]),
        ("mqar", {"keys": "three"}, ["keys", "int"]),
        ("mqar", {"keys": 0}, ["keys", "1 to"]),
        ("mqar", {"filler": "one"}, ["filler", "zero or random"]),
        ("mqar", {"keys": 17}, ["4 * keys"]),
        ("mqar", {"length": 33}, ["even"]),
        ("mqar", {"keys": 8, "vocabulary": 16}, ["vocabulary >= 18"]),
        ("overwrite", {"asked": 7}, ["asked = 7"]),
        ("overwrite", {"keys": 16, "asked": 1}, ["vocabulary >= 34"]),
        ("compositional_mqar", {"grid": 3}, ["length >= 54"]),
        ("compositional_mqar", {"vocabulary": 8}, ["vocabulary / 3 > grid"]),
        ("in_context_recall", {"length": 64}, ["odd"]),
        ("noisy_in_context_recall", {"length": 64}, ["odd"]),
        ("noisy_in_context_recall", {"vocabulary": 17}, ["noise_tokens = 16"]),
        ("fuzzy_in_context_recall", {"length": 6}, ["at least 7"]),
        ("fuzzy_in_context_recall", {"vocabulary": 4}, ["larger vocabulary"]),
        ("selective_copying", {"copied": 24}, ["length >= 50"]),
        ("memorization", {"length": 31}, ["even"]),
        ("parity", {"shortest": 3}, ["labels = 'last'"]),
        ("parity", {"shortest": 33, "labels": "last"}, ["at most length = 32"]),
        ("modular_arithmetic", {"length": 32}, ["must be odd"]),
        ("stacks", {"pops": 3}, ["operations >= 6"]),
        ("palindrome", {"length": 31}, ["even"]),
        ("needle", {"needles": 17}, ["at most keys = 16"]),
        ("needle", {"needles": 11}, ["length >= 65"]),
        ("random_walk", {"mean_degree": 256.0}, ["nodes - 1"]),
        ("random_walk", {"nodes": 2, "mean_degree": 1e-9}, ["no edge"]),
        ("markov_chain", {"order": 4}, ["1024"]),
        ("markov_chain", {"length": 1}, ["at least order = 2"]),
        ("stdlib_bytes", {"part": "train"}, ["search or gate or final"]),
    ],
)
def test_wrong_options_are_refused_by_name(name, options, words):
    with pytest.raises(StudyError) as error:
        make_task(name, options)
    assert [word for word in words if word not in str(error.value)] == []

"""State tracking and formal languages: each label against a simulation in plain Python."""

import itertools

import numpy as np
import pytest

from novum.arenas.sequence.tasks.copying import Palindrome
from novum.arenas.sequence.tasks.stacks import Stacks
from novum.arenas.sequence.tasks.state_tracking import ModularArithmetic, Parity, PermutationProduct


def rows_of(task, seed, rows):
    batch = task.batch(np.random.default_rng(seed), rows)
    assert batch.scored.all()
    for parts in zip(batch.tokens, batch.positions, batch.answers, strict=True):
        yield tuple(part.tolist() for part in parts)


def parity(tokens, modulus):
    return tokens.count(1) % 2


def value_of(tokens, modulus):
    """Python's own arithmetic."""
    words = [str(token) if token < modulus else "+-*"[token - modulus] for token in tokens]
    assert all(word.isdigit() == (place % 2 == 0) for place, word in enumerate(words))
    return eval(" ".join(words)) % modulus  # noqa: S307 -- of numbers and operators that were drawn here


def product(tokens, points):
    every = list(itertools.permutations(range(points)))
    places = list(range(points))
    for token in tokens:
        places = [every[token][place] for place in places]
    return every.index(tuple(places))


TRACKED = [
    (Parity(13), parity, 0, 1),
    (ModularArithmetic(21), value_of, 5, 2),
    (ModularArithmetic(9, modulus=7), value_of, 7, 2),
    (PermutationProduct(9), product, 5, 1),
    (PermutationProduct(20, points=3), product, 3, 1),
]


@pytest.mark.parametrize(
    ("task", "expected", "size", "every"), TRACKED, ids=lambda one: getattr(one, "__name__", str(one)[:25])
)
def test_every_prefix_is_labelled_with_its_state(task, expected, size, every):
    for tokens, positions, answers in rows_of(task, 5, 60):
        assert positions == list(range(0, task.length, every))
        assert answers == [expected(tokens[: place + 1], size) for place in positions]


@pytest.mark.parametrize(("kind", "expected", "size", "every"), [
    (Parity, parity, 0, 1), (ModularArithmetic, value_of, 5, 2), (PermutationProduct, product, 5, 1),
])  # fmt: skip
@pytest.mark.parametrize("shortest", [0, 5, 11])
def test_one_prefix_of_random_length_is_labelled(kind, expected, size, every, shortest):
    task, lengths = kind(length=11, labels="last", shortest=shortest), []
    for tokens, positions, answers in rows_of(task, 5, 400):
        (place,), (answer,) = positions, answers
        assert answer == expected(tokens[: place + 1], size)
        lengths.append(place + 1)
    assert set(lengths) == set(range(shortest or 11, 12, every))
    if shortest == 5:
        assert np.unique(lengths, return_counts=True)[1].min() > 400 / 7 / 2


def test_permutations_are_composed_in_the_order_of_the_tokens():
    """Two swaps that do not commute, S_3: 0 <-> 1, then 1 <-> 2, takes 0 to 2."""
    every = list(itertools.permutations(range(3)))
    first, second = every.index((1, 0, 2)), every.index((0, 2, 1))
    found = {tuple(tokens): answers[-1] for tokens, _, answers in rows_of(PermutationProduct(2, points=3), 1, 500)}
    assert every[found[first, second]] == (2, 0, 1)
    assert every[found[second, first]] == (1, 2, 0)


def test_chance_of_modular_arithmetic_is_exact():
    """Against all expressions of two and of three numbers modulo 3."""
    for numbers, task in ((2, ModularArithmetic(3, 3)), (3, ModularArithmetic(5, 3))):
        shares = []
        for count in range(1, numbers + 1):
            tallies = [0, 0, 0]
            for digits in itertools.product(range(3), repeat=count):
                for signs in itertools.product((3, 4, 5), repeat=count - 1):
                    tokens = [digits[0], *itertools.chain(*zip(signs, digits[1:], strict=True))]
                    tallies[value_of(tokens, 3)] += 1
            assert max(tallies) == tallies[0]
            shares.append(tallies[0] / sum(tallies))
        assert task.chance == pytest.approx(np.mean(shares), abs=1e-12)
        last = ModularArithmetic(task.length, 3, labels="last", shortest=3)
        assert last.chance == pytest.approx(np.mean(shares[1:]), abs=1e-12)


@pytest.mark.parametrize("task", [Stacks(), Stacks(3, 7, 3, 2), Stacks(1, 20, 10, 5), Stacks(64, 4, 2, 9)], ids=str)
def test_a_pop_gives_what_was_pushed_last(task):
    names, depths = range(2, 2 + task.stacks), set()
    for tokens, positions, answers in rows_of(task, 5, 100):
        stacks, expected, done = {name: [] for name in names}, {}, dict.fromkeys(names, 0)
        for at in range(0, task.length, 3):
            operation, name, element = tokens[at : at + 3]
            assert 2 + task.stacks <= element < task.vocabulary
            done[name] += 1
            if operation == 0:
                stacks[name].append(element)
            else:
                assert operation == 1
                expected[at + 1] = stacks[name].pop()
                assert element == expected[at + 1]
            depths.add(len(stacks[name]))
        assert positions == list(expected)
        assert answers == list(expected.values())
        assert set(done.values()) == {task.operations}
        assert all(len(left) == task.operations - 2 * task.pops for left in stacks.values())
    assert max(depths) >= min(task.operations - task.pops, 6)


def test_every_valid_order_of_pushes_and_pops_occurs():
    orders = set()
    for tokens, _, _ in rows_of(Stacks(1, 6, 2, 2), 5, 2000):
        orders.add(tuple(tokens[0::3]))
    valid = set()
    for pops in itertools.combinations(range(6), 2):
        order = tuple(int(place in pops) for place in range(6))
        if all(2 * sum(order[:end]) <= end for end in range(7)):
            valid.add(order)
    assert orders == valid


def test_a_palindrome_is_read_backwards():
    for tokens, positions, answers in rows_of(Palindrome(14, 5), 5, 100):
        there = tokens[:7]
        assert max(there) < 4
        assert tokens[7] == 4
        assert answers == there[::-1]
        assert tokens[8:] == answers[:-1]
        assert positions == list(range(7, 14))

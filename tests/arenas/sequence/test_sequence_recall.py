"""Recall tasks by their definition: a dictionary is filled while the sequence is read, and then asked."""

import numpy as np
import pytest

from novum.arenas.sequence.tasks.compositional_mqar import CompositionalMqar
from novum.arenas.sequence.tasks.mqar import GAP_POWER, Mqar
from novum.arenas.sequence.tasks.needle import Needle
from novum.arenas.sequence.tasks.overwrite import Overwrite


def read(task, seed, rows):
    batch = task.batch(np.random.default_rng(seed), rows)
    assert batch.scored.all()
    for parts in zip(batch.tokens, batch.positions, batch.answers, strict=True):
        yield tuple(part.tolist() for part in parts)


@pytest.mark.parametrize("filler", ["zero", "random"])
@pytest.mark.parametrize(("length", "keys"), [(64, 8), (36, 9), (50, 3)])
def test_mqar_asks_each_key_once_at_an_even_offset(filler, length, keys):
    task = Mqar(length, 64, keys, filler)
    for tokens, positions, answers in read(task, 5, 200):
        memory = dict(zip(tokens[0 : 2 * keys : 2], tokens[1 : 2 * keys : 2], strict=True))
        assert len(memory) == len(set(memory.values())) == keys
        assert all(1 <= key < 32 for key in memory)
        assert all(32 <= value < 64 for value in memory.values())
        assert all(place >= 2 * keys and place % 2 == 0 for place in positions)
        assert {tokens[place] for place in positions} == set(memory)
        assert answers == [memory[tokens[place]] for place in positions]
        rest = set(tokens[2 * keys :]) - set(memory)
        assert rest == {0} if filler == "zero" else len(rest) > 2


def test_the_gap_of_a_key_follows_the_power_law():
    batch = Mqar(16, 32, 1).batch(np.random.default_rng(1), 20_000)
    gap = (batch.positions[:, 0] - 2) // 2 + 1
    law = np.arange(1, 8) ** (GAP_POWER - 1)
    np.testing.assert_allclose(np.bincount(gap, minlength=8)[1:] / gap.size, law / law.sum(), atol=0.012)


def test_later_keys_take_gaps_that_are_left():
    """Drawn one after the other: the second gap has the power law over what the first left."""
    batch = Mqar(12, 32, 2).batch(np.random.default_rng(2), 40_000)
    place = {key: np.argmax(batch.tokens[:, 4:] == batch.tokens[:, key, None], axis=1) // 2 for key in (0, 2)}
    law = np.arange(1, 5) ** (GAP_POWER - 1)
    expected = np.zeros((4, 4))
    for first in range(4):
        for second in set(range(4)) - {first}:
            expected[first, second] = law[first] / law.sum() * law[second] / (law.sum() - law[first])
    counts = np.bincount(4 * place[0] + place[2], minlength=16).reshape(4, 4)
    np.testing.assert_allclose(counts / counts.sum(), expected, atol=0.01)


@pytest.mark.parametrize(("keys", "writes", "asked"), [(6, 2, 6), (1, 1, 1), (5, 3, 2), (4, 9, 4)])
def test_overwrite_asks_for_the_latest_value_of_each_key(keys, writes, asked):
    for tokens, positions, answers in read(Overwrite(keys, writes, asked, 32), 7, 200):
        memory, times, at = {}, {}, 0
        for _ in range(keys * writes):
            memory[tokens[at]] = tokens[at + 1]
            times[tokens[at]] = times.get(tokens[at], 0) + 1
            at += 2
        assert set(times.values()) == {writes}
        assert len(memory) == keys
        assert all(1 <= key < 16 for key in memory)
        assert positions == list(range(at, len(tokens)))
        assert len(set(tokens[at:])) == asked
        assert answers == [memory[key] for key in tokens[at:]]


@pytest.mark.parametrize("events", [16, 40])
def test_overwrite_deals_every_value_before_one_comes_again(events):
    for tokens, _, _ in read(Overwrite(4, events // 4, 1, 32), 3, 50):
        values = tokens[1 : 2 * events : 2]
        for deck in range(0, events, 16):
            part = values[deck : deck + 16]
            assert len(set(part)) == len(part)
        assert set(values) == set(range(16, 32))


def test_overwrites_come_in_any_order():
    tokens = Overwrite(2, 2, 2, 32).batch(np.random.default_rng(3), 6000).tokens
    keys = tokens[:, 0:8:2]
    np.testing.assert_allclose((keys == keys[:, :1]).mean(0)[1:], 1 / 3, atol=0.03)


@pytest.mark.parametrize("filler", ["zero", "random"])
@pytest.mark.parametrize(("length", "vocabulary", "grid"), [(48, 96, 2), (55, 32, 3), (6, 9, 1)])
def test_compositional_keys_are_a_grid_that_needs_both_halves(filler, length, vocabulary, grid):
    third, pairs = vocabulary // 3, grid * grid
    orders = set()
    for tokens, positions, answers in read(CompositionalMqar(length, vocabulary, grid, filler), 5, 200):
        triples = [tuple(tokens[3 * pair : 3 * pair + 3]) for pair in range(pairs)]
        memory = {(first, second): value for first, second, value in triples}
        firsts, seconds = ({key[half] for key in memory} for half in (0, 1))
        assert set(memory) == {(first, second) for first in firsts for second in seconds}
        assert len(firsts) == len(seconds) == grid
        assert len(set(memory.values())) == pairs  # so one half alone leaves `grid` values
        assert all(1 <= first < third for first in firsts)
        assert all(third <= second < 2 * third for second in seconds)
        assert all(2 * third <= value < vocabulary for value in memory.values())
        asked = [(tokens[place - 1], tokens[place]) for place in positions]
        assert set(asked) == set(memory)
        assert answers == [memory[key] for key in asked]
        assert all(place >= 3 * pairs and (place - 1 - 3 * pairs) % 3 == 0 for place in positions)
        orders.add(tuple(first == triples[0][0] for first, _, _ in triples))
    assert len(orders) > 1 or grid == 1


@pytest.mark.parametrize("filler", ["repeated", "distinct"])
@pytest.mark.parametrize(("length", "needles"), [(64, 1), (40, 4), (24, 4), (5, 1)])
def test_needles_are_found_at_any_place_and_asked_at_the_end(filler, length, needles):
    task = Needle(length, filler, needles, filler_tokens=7, keys=5, values=3)
    fillings, starts = set(), set()
    for tokens, positions, answers in read(task, 5, 300):
        memory, filling, at = {}, [], 0
        while at < length - 2 * needles:
            if tokens[at] == 0:
                memory[tokens[at + 1]] = tokens[at + 2]
                starts.add(at)
                at += 3
            else:
                filling.append(tokens[at])
                at += 1
        assert len(memory) == needles
        assert all(8 <= key < 13 for key in memory)
        assert all(13 <= value < 16 for value in memory.values())
        assert tokens[at::2] == [0] * needles
        assert positions == list(range(at + 1, length, 2))
        assert {tokens[place] for place in positions} == set(memory)
        assert answers == [memory[tokens[place]] for place in positions]
        assert all(1 <= token < 8 for token in filling)
        fillings.add(tuple(filling))
    assert {0, length - 2 * needles - 3} <= starts
    if filler == "repeated":
        assert fillings == {tuple(1 + place % 7 for place in range(length - 5 * needles))}
    elif length > 10:
        assert len(fillings) > 200

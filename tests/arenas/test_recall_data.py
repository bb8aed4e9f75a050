"""The tasks are what their docstring says, and their streams are separate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.arenas.recall.data import BLOCK, GAP_POWER, HELD_OUT, TRAIN, sequences
from novum.arenas.recall.options import Options
from novum.core.model.errors import StudyError
from novum.core.model.options import parse_options

MQAR = {"task": "mqar", "length": 64, "vocabulary": 128, "keys": 8, "writes": 1}


def read_overwrite(tokens, options):
    """The definition, literally: walk through the writes, remember the last value, then read the questions."""
    memory, times, at = {}, {}, 0
    for _ in range(options.keys * options.writes):
        key, value = tokens[at], tokens[at + 1]
        memory[key] = value
        times[key] = times.get(key, 0) + 1
        at += 2
    asked = list(tokens[at:])
    return memory, times, asked, [memory[key] for key in asked]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**64), st.data())
def test_overwrite_is_the_latest_value_of_each_key_asked(keys, writes, seed, data):
    asked = data.draw(st.integers(1, keys))
    options = parse_options(
        Options, {"keys": keys, "writes": writes, "vocabulary": 40, "length": 2 * keys * writes + asked}, "the arena"
    )
    batch = sequences(options, seed, TRAIN, 0, 20)
    assert batch.tokens.shape == (20, options.length)
    assert batch.answers.shape == batch.positions.shape == (20, asked) == (20, options.queries)
    for tokens, positions, answers in zip(batch.tokens, batch.positions, batch.answers, strict=True):
        memory, times, questions, expected = read_overwrite(tokens.tolist(), options)
        assert set(times.values()) == {writes}
        assert len(memory) == keys
        assert all(1 <= key < 20 for key in memory)
        values = tokens[1 : 2 * keys * writes : 2]
        assert len(set(values.tolist())) == keys * writes
        assert ((values >= 20) & (values < 40)).all()
        assert len(set(questions)) == asked
        assert tokens[positions].tolist() == questions
        assert answers.tolist() == expected


def test_events_come_in_any_order():
    options = parse_options(Options, {"keys": 2, "writes": 2, "length": 10}, "the arena")
    keys = sequences(options, 3, TRAIN, 0, 3000).tokens[:, 0:8:2]
    same = (keys == keys[:, :1]).astype(float).mean(0)
    np.testing.assert_allclose(same[1:], 1 / 3, atol=0.04)


@pytest.mark.parametrize("fill", ["zero", "random"])
def test_mqar_asks_each_key_once_at_an_even_offset(fill):
    options = parse_options(Options, MQAR | {"fill": fill}, "the arena")
    batch = sequences(options, 5, TRAIN, 0, 100)
    for tokens, positions, answers in zip(batch.tokens, batch.positions, batch.answers, strict=True):
        keys, values = tokens[0:16:2], tokens[1:16:2]
        memory = dict(zip(keys.tolist(), values.tolist(), strict=True))
        assert len(memory) == len(set(values.tolist())) == 8
        assert keys.min() >= 1
        assert keys.max() < 64 <= values.min()
        assert values.max() < 128
        assert (positions >= 16).all()
        assert (positions % 2 == 0).all()
        assert sorted(tokens[positions].tolist()) == sorted(memory)
        assert answers.tolist() == [memory[key] for key in tokens[positions].tolist()]
        rest = np.delete(tokens[16:], positions - 16)
        assert (rest == 0).all() if fill == "zero" else len(set(rest.tolist())) > 5


def test_the_gap_of_a_key_follows_the_power_law():
    options = parse_options(
        Options, {"task": "mqar", "length": 16, "vocabulary": 32, "keys": 1, "writes": 1}, "the arena"
    )
    gap = (sequences(options, 1, TRAIN, 0, 20_000).positions[:, 0] - 2) // 2 + 1
    law = np.arange(1, 8) ** (GAP_POWER - 1)
    np.testing.assert_allclose(np.bincount(gap, minlength=8)[1:] / gap.size, law / law.sum(), atol=0.012)


def test_a_sequence_depends_on_its_number_not_on_how_it_was_asked_for():
    options = Options()
    whole = sequences(options, 9, TRAIN, 0, 2 * BLOCK)
    part = sequences(options, 9, TRAIN, BLOCK - 3, BLOCK + 5)
    np.testing.assert_array_equal(part.tokens, whole.tokens[BLOCK - 3 : BLOCK + 5])
    np.testing.assert_array_equal(part.answers, whole.answers[BLOCK - 3 : BLOCK + 5])


def test_streams_and_seeds_share_nothing():
    options = Options()
    streams = [(0, TRAIN), (0, HELD_OUT), (1, TRAIN), (1, HELD_OUT), (2**200, TRAIN)]
    drawn = [sequences(options, seed, name, 0, 2000) for seed, name in streams]
    rows = [{row.tobytes() for row in batch.tokens} for batch in drawn]
    assert len(set.union(*rows)) == sum(map(len, rows)) == 2000 * len(streams)
    flat = np.stack([batch.answers.astype(float).ravel() for batch in drawn])
    off_diagonal = np.corrcoef(flat)[~np.eye(len(streams), dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(flat.shape[1])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tusk": "mqar"}, ["tusk", "task", "held_out"]),
        ({"task": "copy"}, ["task", "overwrite", "mqar"]),
        ({"steps": "many"}, ["steps", "int"]),
        ({"steps": True}, ["steps", "int"]),
        ({"steps": 0}, ["steps", "1 to"]),
        ({"warmup": 2.0}, ["warmup", "0.0 to 1.0"]),
        ({"length": 999}, ["length - 2 * keys * writes <= keys"]),
        ({"vocabulary": 8}, ["keys"]),
        (MQAR | {"keys": 17}, ["4 * keys <= length"]),
        (MQAR | {"vocabulary": 64}, ["vocabulary > length"]),
        (MQAR | {"writes": 2}, ["writes = 1"]),
        ({"fill": "random"}, ["fill = 'zero'"]),
    ],
)
def test_wrong_options_are_refused_by_name(given, words):
    with pytest.raises(StudyError) as error:
        parse_options(Options, given, "the arena")
    assert all(word in str(error.value) for word in words)

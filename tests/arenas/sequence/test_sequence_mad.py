"""The six tasks of MAD by their definitions, read by slow decoders."""

import numpy as np
import pytest

from novum.arenas.sequence.tasks.compression import Compression
from novum.arenas.sequence.tasks.copying import SelectiveCopying
from novum.arenas.sequence.tasks.fuzzy_recall import FuzzyInContextRecall
from novum.arenas.sequence.tasks.in_context_recall import InContextRecall, NoisyInContextRecall
from novum.arenas.sequence.tasks.memorization import Memorization, _map


def rows_of(task, seed, rows):
    batch = task.batch(np.random.default_rng(seed), rows)
    for parts in zip(batch.tokens, batch.positions, batch.answers, batch.scored, strict=True):
        yield tuple(part.tolist() for part in parts)


def check_next_tokens(tokens, positions, answers):
    assert positions == list(range(len(tokens)))
    assert answers[:-1] == tokens[1:]


@pytest.mark.parametrize(("length", "vocabulary"), [(63, 16), (21, 9), (3, 5), (127, 32)])
def test_in_context_recall_scores_the_value_of_every_key_seen_before(length, vocabulary):
    keys = vocabulary // 2
    for tokens, positions, answers, scored in rows_of(InContextRecall(length, vocabulary), 5, 100):
        check_next_tokens(tokens, positions, answers)
        memory, expected = {}, []
        for place in range(0, length, 2):
            key, value = tokens[place], answers[place]
            assert 0 <= key < keys <= value < vocabulary
            expected.append(key in memory)
            assert memory.setdefault(key, value) == value
        assert scored[0::2] == expected
        assert not any(scored[1::2])
        assert scored[-1]


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.9])
def test_noise_comes_in_pairs_of_its_own_tokens(noise):
    task, seen = NoisyInContextRecall(41, 32, 16, noise), []
    for tokens, positions, answers, scored in rows_of(task, 5, 400):
        check_next_tokens(tokens, positions, answers)
        memory, expected, pairs = {}, [], []
        for place in range(0, 41, 2):
            key, value = tokens[place], answers[place]
            pairs.append(key >= 16)
            if key >= 16:
                assert 16 <= value < 32
                expected.append(False)
                continue
            assert 0 <= key < 8 <= value < 16
            expected.append(key in memory)
            assert memory.setdefault(key, value) == value
        assert scored[0::2] == expected
        assert not any(scored[1::2])
        assert scored[-1] and not all(pairs[:-1])
        seen.append(pairs[:-1])
    share = noise * (1 - 1 / 20)  # one of the twenty pairs is none
    np.testing.assert_allclose(np.mean(seen), share, atol=0.02)
    np.testing.assert_allclose(np.mean(seen, axis=0), share, atol=0.1)


def test_the_last_key_is_any_of_those_that_occurred():
    """Each with the same chance, however often it occurred."""
    batch = InContextRecall(7, 4).batch(np.random.default_rng(1), 40_000)
    first = batch.tokens[:, [0, 2, 4]]
    rows = first.sum(axis=1) == 1  # key 1 once, key 0 twice
    assert rows.sum() > 10_000
    np.testing.assert_allclose(batch.tokens[rows, 6].mean(), 0.5, atol=0.02)


def words(tokens, keys, pad):
    """Runs of key tokens and of value tokens in turn, after the padding."""
    tokens = tokens[next(place for place, token in enumerate(tokens) if token != pad) :]
    runs = []
    for token in tokens:
        if not runs or (token < keys) != (runs[-1][-1] < keys):
            runs.append([])
        runs[-1].append(token)
    return list(map(tuple, runs))


@pytest.mark.parametrize("longest", [False, True])
@pytest.mark.parametrize(
    ("key_tokens", "value_tokens", "length", "vocabulary"), [(2, 2, 64, 16), (3, 3, 90, 10), (1, 1, 20, 6)]
)
def test_fuzzy_recall_scores_all_tokens_of_values_of_keys_seen_before(
    key_tokens, value_tokens, length, vocabulary, longest
):
    task = FuzzyInContextRecall(length, vocabulary, key_tokens, value_tokens, longest)
    keys, pad, sizes = (vocabulary - 1) // 2, vocabulary - 1, {"key": set(), "value": set()}
    for tokens, positions, answers, scored in rows_of(task, 5, 300):
        check_next_tokens(tokens, positions, answers)
        whole = [tokens[0], *answers]
        runs = words(whole, keys, pad)
        assert whole == [pad] * (length + 1 - sum(map(len, runs))) + [token for run in runs for token in run]
        memory, expected = {}, []
        for key, value in zip(runs[0::2], runs[1::2], strict=True):
            assert len(set(key)) == len(key) and max(key) < keys <= min(value)
            assert len(set(value)) == len(value) and max(value) < pad
            sizes["key"].add(len(key))
            sizes["value"].add(len(value))
            expected += [False] * len(key) + [key in memory] * len(value)
            assert memory.setdefault(key, value) == value
        assert (
            scored == [False] * (length - len(expected) + 1) + expected[1:] if len(expected) <= length else expected[1:]
        )
        assert scored[-1]
        assert length + 1 - len(expected) < key_tokens + value_tokens + key_tokens + value_tokens
    assert sizes["key"] == ({key_tokens} if longest else set(range(1, key_tokens + 1)))
    assert sizes["value"] == set(range(1, value_tokens + 1))


def test_the_pair_that_comes_again_is_any_of_those_that_were_kept():
    """Of nine one-token keys out of seven: the first of them as often as a key drawn among all nine would be it."""
    batch = FuzzyInContextRecall(19, 16, 1, 1).batch(np.random.default_rng(1), 20_000)
    for place in (0, 8, 16):
        same = batch.tokens[:, 18] == batch.tokens[:, place]
        np.testing.assert_allclose(same.mean(), 1 / 9 + 8 / 9 / 7, atol=0.015)


def test_fuzzy_recall_is_scored_on_the_longest_keys():
    assert FuzzyInContextRecall().held_out() == FuzzyInContextRecall(longest_keys=True)
    assert FuzzyInContextRecall().entropy is None
    assert FuzzyInContextRecall().held_out().entropy == 0.0


@pytest.mark.parametrize(("length", "copied"), [(48, 8), (10, 4), (30, 1)])
def test_selective_copying_repeats_what_is_not_blank(length, copied):
    for tokens, positions, answers, scored in rows_of(SelectiveCopying(length, 9, copied), 5, 200):
        now = tokens.index(8)
        assert now == length - copied - 1
        assert [token for token in tokens[:now] if token != 7] == answers
        assert len(answers) == copied
        assert tokens[now - 1] != 7  # no blank after the last token to copy
        assert tokens[now + 1 :] == [7] * copied
        assert positions == list(range(now + 1, length))
        assert all(scored)


def test_each_blank_comes_before_a_uniform_one_of_the_tokens():
    batch = SelectiveCopying(20, 9, 3).batch(np.random.default_rng(5), 20_000)
    before = (batch.tokens[:, :16] != 7).cumsum(axis=1)
    blanks = [((before == place) & (batch.tokens[:, :16] == 7)).sum(axis=1) for place in range(3)]
    np.testing.assert_allclose(np.mean(blanks, axis=1), 13 / 3, atol=0.06)
    np.testing.assert_allclose(np.var(blanks, axis=1), 13 * 2 / 9, atol=0.1)  # binomial


def test_compression_asks_for_every_token_at_the_last():
    for tokens, positions, answers, scored in rows_of(Compression(12, 5), 5, 100):
        assert tokens[-1] == 4
        assert tokens[:-1] == answers
        assert max(answers) < 4
        assert positions == [11] * 11
        assert all(scored)


def test_memorization_has_one_map_for_all_sequences():
    task, memory = Memorization(32, 64, map_seed=3), {}
    for seed in range(3):
        for tokens, positions, answers, scored in rows_of(task, seed, 100):
            assert positions == list(range(1, 32, 2))
            assert all(tokens[place] == 63 for place in positions)
            assert all(scored)
            for place, value in zip(positions, answers, strict=True):
                assert memory.setdefault(tokens[place - 1], value) == value
    assert set(memory) == set(range(31))
    assert len(set(memory.values())) == 31
    assert set(memory.values()) <= set(range(31, 63))


def test_the_map_depends_on_its_seed():
    def answers(seed):
        return [row[2] for row in rows_of(Memorization(map_seed=seed), 0, 50)]

    first = answers(1)
    _map.cache_clear()
    assert answers(1) == first != answers(2)

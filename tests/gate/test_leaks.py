"""Planted overlaps of each kind are found with their share; clean declarations pass; silence is not a pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.gate.leak_check import REUSED, SAME_TRIAL, leak


def names(prefix, count):
    return frozenset(f"{prefix}{number}" for number in range(count))


def trial(train, scored):
    return {"train": train, "scored": scored}


SEARCH = [trial(names(f"pool{n}-", 30), names("search", 20)) for n in range(3)]
GATE = [trial(names(f"pool{n}-", 30), names("gate", 25)) for n in range(2, 5)]


def test_clean_declarations_pass():
    found = leak(SEARCH, GATE)
    assert (found.name, found.ok) == ("leak", True)
    assert found.figures == {SAME_TRIAL: 0.0, REUSED: 0.0}
    assert "none of 135" in found.words
    assert "none of 25" in found.words


@pytest.mark.parametrize("role", ["search", "gate"])
def test_a_trial_that_is_scored_on_what_it_learned_is_found_in_either_role(role):
    planted = trial(names("x", 4) | names("y", 6), names("x", 4) | names("z", 16))
    found = leak([*SEARCH, planted], GATE) if role == "search" else leak(SEARCH, [*GATE, planted])
    assert found.ok is False
    assert found.figures[SAME_TRIAL] == 4 / (135 + 20)
    assert found.figures[REUSED] == 0.0
    assert "4 of 155 scored examples occur in the training of their own trial" in found.words


@pytest.mark.parametrize("where", ["train", "scored"])
def test_gate_examples_that_the_search_learned_from_or_was_scored_on_are_found(where):
    planted = {**trial(names("a", 5), names("b", 5)), where: names("gate", 2)}
    found = leak([*SEARCH, planted], GATE)
    assert found.ok is False
    assert found.figures == {SAME_TRIAL: 0.0, REUSED: 2 / 25}
    assert "2 of 25 examples scored in the gate were already used in the search" in found.words


def test_what_another_trial_learned_is_no_leak_within_a_role():
    """Trials of one role may draw from one pool: only an overlap within a trial, or from search to gate, counts."""
    crossed = [trial(names("a", 9), names("b", 9)), trial(names("b", 9), names("a", 9))]
    assert leak(crossed, GATE).ok
    assert leak(SEARCH, crossed).ok


@pytest.mark.parametrize("search", [[], [{}], [trial(frozenset(), frozenset())]])
@pytest.mark.parametrize("gate", [[], [{}, {}]])
def test_nothing_declared_is_no_answer(search, gate):
    found = leak(search, gate)
    assert found.ok is None
    assert found.words == "the arena declares no examples"
    assert not found.figures


def test_half_a_declaration_is_no_pass_but_may_fail():
    assert leak(SEARCH, []).ok is None
    assert leak([], GATE).ok is None
    assert leak([{"train": names("a", 3)}], [{"train": names("b", 3)}]).ok is None
    assert leak([], [trial(names("a", 3), names("a", 2))]).ok is False
    assert leak([{"train": names("gate", 3)}], [{"scored": names("gate", 25)}]).ok is False


sets = st.frozensets(st.integers(0, 12).map(str), max_size=6)
trials = st.lists(st.builds(trial, sets, sets), max_size=4)


@given(trials, trials)
def test_it_fails_exactly_when_one_example_overlaps(search, gate):
    within = any(one["train"] & one["scored"] for one in [*search, *gate])
    across = any(g["scored"] & (s["train"] | s["scored"]) for s in search for g in gate)
    found = leak(search, gate)
    assert (found.ok is False) == (within or across)
    assert all(0 <= share <= 1 for share in found.figures.values())

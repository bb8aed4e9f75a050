"""The memory arena: rules are what their equations say, what is charged is counted, scores are the lab's own."""

import random
from dataclasses import replace

import numpy as np
import pytest

from novum.arenas.memory.arena import MemoryArena
from novum.arenas.memory.language import language
from novum.arenas.memory.named import RULES
from novum.arenas.memory.options import PARTS, Options
from novum.arenas.memory.recall import guesses, reads
from novum.arenas.memory.recognise import recognise
from novum.arenas.memory.score import areas
from novum.arenas.memory.search import SearchSettings, search
from novum.arenas.memory.streams import cell, make
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup
from novum.symbolic.costs import flop, state_floats
from novum.symbolic.evolution import Evolution

pytestmark = pytest.mark.slow
FREE = Options(state="2d2", operations="more")
SPACE = MemoryArena(FREE).space


def rule(name, *constants):
    return SPACE.program(RULES[name].genome(*constants))


def stream(regime="plain", size=8, pairs=10, seed=0):
    return cell(np.random.default_rng(seed), regime, size, 16, pairs, PARTS[Role.SEARCH])


def recall(program, regime, size, pairs, values=256):
    """Of eight streams."""
    one = cell(np.random.default_rng(7), regime, size, values, pairs, PARTS[Role.SEARCH])
    return areas([one], guesses(program, FREE, [one]))[regime]


def test_hebbian_answers_are_sums_of_values_by_the_likeness_of_their_keys():
    one = stream("correlated")
    likeness = np.einsum("tdl,qdl->tql", one.keys, one.questions)
    assert np.allclose(reads(rule("hebb"), FREE, one), np.einsum("tql,tdl->qdl", likeness, one.values))


def test_the_delta_rule_is_a_step_down_the_squared_error():
    one, lane = stream("overwritten"), 3
    memory = np.zeros((8, 8))
    for key, value in zip(one.keys[..., lane], one.values[..., lane], strict=True):
        memory -= 0.4 * np.outer(memory @ key - value, key)
    assert np.allclose(reads(rule("delta", 0.4), FREE, one)[..., lane], one.questions[..., lane] @ memory.T)


def test_recursive_least_squares_is_the_ridge_regression_of_all_that_was_written_with_forgetting_weighted():
    one, lane, kept = stream("noisy"), 5, 0.95
    keys, values = one.keys[..., lane], one.values[..., lane]
    weights = kept ** np.arange(len(keys))[::-1]
    ridge = kept ** len(keys) / 10.0 * np.eye(8)
    solved = np.linalg.solve((keys * weights[:, None]).T @ keys + ridge, (keys * weights[:, None]).T @ values)
    said = reads(rule("forgetting rls", 10.0, kept), FREE, one)[..., lane]
    assert np.allclose(said, one.questions[..., lane] @ solved)


@pytest.mark.parametrize(
    ("name", "constants", "regime", "pairs", "share"),
    [
        ("hebb", (), "correlated", 128, 0.14),
        ("hebb", (), "overwritten", 64, 0.73),
        ("decay", (0.98,), "plain", 128, 0.53),
        ("delta", (1.0,), "plain", 128, 0.52),
        ("delta", (1.0,), "correlated", 64, 0.75),
        ("delta", (1.0,), "overwritten", 64, 0.89),
        ("gated delta", (1.0, 0.98), "plain", 64, 0.68),
        ("rls", (10.0,), "overwritten", 32, 0.75),
        ("forgetting rls", (10.0, 0.98), "plain", 128, 0.80),
    ],
)
def test_shares_at_64_dimensions_are_those_of_a_reference_in_numpy_within_noise(name, constants, regime, pairs, share):
    assert abs(recall(rule(name, *constants), regime, 64, pairs) - share) < 0.1


def test_what_keeps_or_costs_too_much_is_refused_in_words():
    with pytest.raises(StudyError, match=r"keeps \d+ numbers .* allows 88 at d = 8"):
        MemoryArena().space.validate(RULES["forgetting rls"].genome(1.0, 0.99))
    bounded = MemoryArena(Options(state="2d2", write_flop=5)).space
    assert bounded.validate(RULES["delta"].genome(0.5))
    with pytest.raises(StudyError, match=r"a write takes \d+ FLOP"):
        bounded.validate(RULES["forgetting rls"].genome(1.0, 0.99))


def test_children_are_charged_what_their_programs_cost():
    seen = []
    run = Evolution(language(FREE), 3, lambda child: seen.append(child) or float(len(seen)), tournament=0)
    for _ in range(200):
        run.go(1)
        child, program = seen[-1], run.leaders()[0]
        assert child.state_floats(language(FREE), 8) == state_floats(program, language(FREE), 8)
        assert child.flop(8, 1) == flop(program.parts[1], 8)


@pytest.mark.parametrize("regime", ["plain", "correlated", "overwritten", "noisy", "drifting", "rewritten"])
def test_streams_have_keys_and_values_of_length_one_and_answers_that_were_written_last(regime):
    one = stream(regime, pairs=9)
    for vectors in (one.keys, one.values, one.questions, one.codebook):
        assert np.allclose((vectors**2).sum(1), 1.0)
    for lane in range(8):
        for question, answer in zip(one.questions[..., lane], one.answers[:, lane], strict=True):
            at = np.flatnonzero(np.isclose(one.keys[..., lane] @ question, 1.0))[-1]
            assert np.allclose(one.values[at, :, lane], one.codebook[answer, :, lane])


def test_confirmation_differs_in_dimensions_values_loads_and_regimes():
    one, other = make(Options(), Role.SEARCH, 5), make(Options(), Role.GATE, 5)
    assert (one[0].size, other[0].size) == (8, 24)
    assert (len(one[0].codebook), len(other[0].codebook)) == (32, 96)
    assert {cell.load for cell in one} != {cell.load for cell in other}


def test_the_lab_scores_guesses_and_refuses_what_is_none():
    from novum.arenas.memory.trial import run

    arena, trial = MemoryArena(), Trial("t", 11)
    group = TrialGroup("g", Candidate(arena.space.validate(RULES["delta"].genome(0.5))), (trial,))
    artefact = run(group)[0].artefact
    score = arena.score(group, trial, artefact)
    assert score.value == min(score.others.values()) > 0.5
    assert MemoryArena(Options(shuffled=True)).score(group, trial, artefact).value < 0.1
    with pytest.raises(ArtefactError, match="names value 65535"):
        arena.score(group, trial, b"\xff" * len(artefact))


def test_known_rules_are_recognised_in_other_words_and_others_are_not():
    words = {"setup": "e = 0.37", "write": "w = S @ k; w = w - v; w = e * w; P = outer(w, k); S = S - P"}
    found = recognise(SPACE.program({**words, "read": "o = S @ q"}), FREE)
    assert (found.name, found.verdict) == ("delta", "exact")
    assert found.constants == pytest.approx((0.37,))
    twice = {"write": "v = v + v; U = outer(v, k); S = S + U", "read": "o = S @ q; o = o + o"}
    assert (recognise(SPACE.program(twice), FREE).name, recognise(SPACE.program(twice), FREE).verdict) == (
        "hebb",
        "exact",
    )
    assert recognise(rule("forgetting rls", 3.3, 0.93), FREE).verdict == "exact"
    signs = {"write": "k = sign(k); U = outer(v, k); S = S + U", "read": "o = S @ q"}
    assert recognise(SPACE.program(signs), FREE).verdict == "other"


def test_a_short_search_improves_on_hebb_within_the_bounds():
    options = Options(regime="overwritten", size=8, values=16)
    space = MemoryArena(options).space
    start = space.program(RULES["hebb"].genome())
    found = search(options, 1, SearchSettings(start=start), 4.0)
    none = search(options, 1, SearchSettings(start=start, random=True), 1.0)
    assert found.fitness > none.fitness
    space.validate(space.genome(found.program))


def test_samples_and_mutations_stay_within_the_bounds():
    space, rng = MemoryArena(replace(FREE, state="d2", write_flop=5)).space, random.Random(1)
    for _ in range(50):
        space.validate(space.mutate(space.sample(rng), rng))

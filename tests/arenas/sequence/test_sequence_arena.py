"""The sequence arena: its space, fairness, what a study may ask for, and a score that nobody but the lab gives."""

import random
import re
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from novum.arenas import sequence
from novum.arenas.sequence.arena import SequenceArena
from novum.arenas.sequence.fairness import TOLERANCE, baseline, stacks
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.score import encode_loss, held_out_sequences, scores, training_sequences
from novum.arenas.sequence.space import AROUND, EMPTY, OWN, PARTS, mixer_names, places, space
from novum.arenas.sequence.task_list import parse_tasks
from novum.arenas.sequence.tasks.registry import TASKS
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError, OutcomeKind, Role, Trial, TrialGroup
from novum.population.mixers.named import NAMED

SMALL = {"steps": 3, "held_out": 8, "batch": 4}


def test_a_line_of_tasks_is_read_with_its_options():
    mqar, parity = parse_tasks("mqar(length=32, keys=4, vocabulary=64) + parity")
    assert (mqar.name, mqar.task.length, mqar.task.vocabulary) == ("mqar", 32, 64)
    assert parity.name == "parity"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mqar(", "cannot be read"),
        ("nothing", "there is no task 'nothing'"),
        ("mqar(8)", "options have names"),
        ("mqar(keys=1+1)", "without a plain value"),
        ("mqar(kys=3)", "kys"),
        ("parity + parity(length=9)", "stands there twice"),
        ("'parity'", "is no task"),
        ("__import__('os')", "options have names"),
        ("parity - mqar", "is no task"),
    ],
)
def test_a_line_that_names_no_tasks_says_what_to_write(line, words):
    with pytest.raises(StudyError, match=words):
        parse_tasks(line)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 30}, "multiple of 4"),
        ({"tasks": "memorization", "stretch": 2}, "one length only"),
        ({"tasks": "palindrome(length=60000)", "stretch": 8}, "palindrome for"),
    ],
)
def test_options_that_cannot_be_served_are_refused(options, words):
    with pytest.raises(StudyError, match=words):
        Options(**options)


@pytest.mark.parametrize("layers", [1, 4])
def test_every_genome_has_one_normal_form_and_a_network(layers):
    options = Options(layers=layers, **SMALL)
    found, rng = space(options), random.Random(0)
    for _ in range(300):
        genome = found.sample(rng)
        assert found.validate(genome) == genome
        for child in (found.mutate(genome, rng), found.cross(genome, found.sample(rng), rng)):
            assert found.validate(child) == child
        filled = [genome[name] for name in places(options) if genome[name] != EMPTY]
        assert all(genome[name] == EMPTY for name in places(options)[len(filled) :])
        (stack,) = stacks(genome, options)
        assert len(stack.layers) == len(filled)
        assert stack.parameters == stack.layout.size


def test_genes_without_effect_make_no_second_candidate():
    found = space(Options())
    assert found.key({"layer_1": "gru", "write": "delta", "d_key": 32}) == found.key({"layer_1": "gru"})
    assert found.key({"layer_1": OWN, "beta": 2}) == found.key({"layer_1": OWN})
    fair = space(Options(equal="state"))
    assert fair.key({"layer_1": "delta", "d_key": 32}) == fair.key({"layer_1": "delta"})
    assert found.key({"layer_1": OWN, "write": "delta"}) != found.key({"layer_1": OWN, "write": "delta", "beta": 2})


def test_a_blind_search_knows_no_published_mixer_by_name():
    assert set(mixer_names(Options())) == {OWN, *NAMED}
    assert set(mixer_names(Options(blind=True))) == {OWN}
    with pytest.raises(StudyError, match="layer_1"):
        space(Options(blind=True)).validate({"layer_1": "delta"})


def test_no_candidate_uses_a_gene_that_a_study_leaves_out():
    found, rng = space(Options(without="rotating, loops")), random.Random(0)
    genome = found.sample(rng)
    for _ in range(200):
        genome = found.mutate(found.cross(genome, found.sample(rng), rng), rng)
        assert (genome["rotating"], genome["loops"]) == (False, 1)
    with pytest.raises(StudyError, match="rotating"):
        found.validate({"rotating": True})


@pytest.mark.parametrize("name", ["layer_1", "unit_keys", "d_key", "rotation"])
def test_a_gene_that_is_needed_or_is_none_cannot_be_left_out(name):
    with pytest.raises(StudyError, match=f"options.without: '{name}' cannot be left out: choose from feature, write"):
        space(Options(without=name))


@pytest.mark.parametrize("equal", ["parameters", "state", "flop"])
def test_no_candidate_has_more_than_the_baseline_of_what_is_equal(equal):
    options = Options(equal=equal, layers=2, tasks="overwrite + parity", **SMALL)

    def amount(genome):
        total = 0.0
        for stack, one in zip(stacks(genome, options), options.named, strict=True):
            task = one.task
            total += {
                "parameters": stack.parameters,
                "state": stack.state_floats(task.length),
                "flop": stack.training_flop(options.batch, task.length, task.queries),
            }[equal]
        return total

    limit, rng, used, refused = amount(baseline(options)), random.Random(1), [], 0
    for _ in range(60):
        genome = space(options).sample(rng)
        try:
            used.append(amount(genome) / limit)
        except StudyError:
            refused += 1
    assert max(used) <= TOLERANCE
    assert len(used) > 15
    if equal == "parameters":
        assert refused <= 3
    if equal != "state":
        assert np.median(used) > 0.8


def group(options, genome, seeds=(1, 2), role=Role.SEARCH, rate=0.01):
    arena = SequenceArena(options)
    candidate = Candidate(arena.space.validate({**arena.spec.baseline, **genome}))
    trials = tuple(Trial(f"t{seed}", seed, {"lr": rate}) for seed in seeds)
    return arena, TrialGroup("g", candidate, trials, asdict(options), role=role)


def test_a_perfect_artefact_scores_one_and_each_task_has_its_own_figure():
    options = Options(tasks="overwrite + parity", **SMALL)
    arena, whole = group(options, {})
    pieces = [held_out_sequences(options, one, Role.SEARCH, 1).answers.astype("<u2") for one in options.named]
    perfect = b"".join(piece.tobytes() for piece in pieces)
    score = arena.score(whole, whole.trials[0], perfect)
    assert score.value == 1.0
    assert dict(score.others) == {"accuracy on overwrite": 1.0, "accuracy on parity": 1.0}
    half = pieces[0].tobytes() + (1 - pieces[1]).astype("<u2").tobytes()
    assert arena.score(whole, whole.trials[0], half).value == 0.5


def test_the_score_is_the_roles_own_and_what_the_group_carries_is_not_trusted():
    options = Options(**SMALL)
    arena, asked = group(options, {}, role=Role.GATE)
    (one,) = options.named
    gate = held_out_sequences(options, one, Role.GATE, 1).answers.astype("<u2").tobytes()
    assert arena.score(asked, asked.trials[0], gate).value == 1.0
    search = held_out_sequences(options, one, Role.SEARCH, 1).answers.astype("<u2").tobytes()
    with pytest.raises(ArtefactError, match="bytes instead of"):
        arena.score(asked, asked.trials[0], search)
    easy = TrialGroup("g", asked.candidate, asked.trials, {**asked.options, "held_out": 1}, role=Role.GATE)
    assert arena.score(easy, asked.trials[0], gate).value == 1.0


def test_artefacts_that_say_too_much_too_little_or_nonsense_are_refused():
    options = Options(**SMALL)
    size = len(held_out_sequences(options, options.named[0], Role.SEARCH, 1).answers.tobytes()) // 4
    for artefact, words in ((b"", "bytes instead of"), (b"\xff" * size, "names answer"), ("text", "must be bytes")):
        with pytest.raises(ArtefactError, match=words):
            scores(options, Role.SEARCH, 1, artefact)


def test_a_loss_cannot_be_talked_down_and_survives_its_rounding():
    options = Options(tasks="hidden_markov", metric="loss", **SMALL)
    (one,) = options.named
    held = held_out_sequences(options, one, Role.SEARCH, 1)
    shape = (*held.answers.shape, one.task.outputs)
    sure = np.zeros(shape, dtype=np.uint8).tobytes()
    assert scores(options, Role.SEARCH, 1, sure)[0] == pytest.approx(np.log(one.task.outputs))
    rng = np.random.default_rng(0)
    logits = rng.standard_normal(shape).astype(np.float32)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    exact = -np.take_along_axis(logs, held.answers[..., None], -1)[..., 0][held.scored].mean()
    assert scores(options, Role.SEARCH, 1, encode_loss(logs))[0] == pytest.approx(exact, abs=2e-3)


def test_training_and_scored_sequences_of_a_seed_share_nothing_and_blocks_differ():
    arena, whole = group(Options(**SMALL), {})
    found = arena.examples(whole, whole.trials[0])
    assert found["train"]
    assert not found["train"] & found["scored"]
    options = arena.options
    first, second = (training_sequences(options, options.named[0], Role.SEARCH, 1, block, 4) for block in (0, 1))
    assert not np.array_equal(first.tokens, second.tokens)


def test_with_shuffled_answers_nobody_beats_chance():
    options = Options(tasks="parity", shuffled=True, **{**SMALL, "held_out": 512})
    held = held_out_sequences(options, options.named[0], Role.SEARCH, 3)
    truth = np.bitwise_xor.accumulate(held.tokens, axis=1)
    assert abs((truth == held.answers).mean() - 0.5) < 4 * 0.5 / np.sqrt(held.answers.size)


def test_a_source_of_known_entropy_states_it_as_the_best_loss():
    spec = SequenceArena(Options(tasks="markov_chain", metric="loss")).spec
    assert spec.ceiling == Options(tasks="markov_chain").named[0].task.entropy
    assert not spec.higher_is_better
    assert SequenceArena(Options()).spec.ceiling == 1.0


class TestTraining:
    """What the worker does; needs torch."""

    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch")

    def test_trials_are_repeatable_and_different_seeds_differ(self):
        from novum.arenas.sequence.trial import run

        options = Options(tasks="overwrite + compression", **SMALL)
        _, whole = group(options, {"layer_1": "kda"})
        one, other = run(whole), run(whole)
        assert [x.artefact for x in one] == [x.artefact for x in other]
        assert one[0].artefact != one[1].artefact

    def test_a_trial_that_blows_up_is_an_outcome_that_says_where(self):
        from novum.arenas.sequence.trial import run

        options = Options(**{**SMALL, "steps": 30, "clip": 1e9})
        _, whole = group(options, {"layer_1": "retnet", "taps": 0}, rate=1e18)
        assert {out.failure for out in run(whole)} == {OutcomeKind.DIVERGED}

    @pytest.mark.parametrize("setting", [{}, {"lr": 0}, {"lr": True}, {"lr": 0.1, "decay": -1}])
    def test_settings_that_make_no_sense_are_named(self, setting):
        from novum.arenas.sequence.trial import run

        _, whole = group(Options(**SMALL), {})
        bad = TrialGroup("g", whole.candidate, (Trial("t", 1, setting),), whole.options)
        with pytest.raises(StudyError, match="'t'"):
            run(bad)

    def test_a_longer_sequence_is_scored_after_training_on_a_short_one(self):
        from novum.arenas.sequence.trial import run

        options = Options(tasks="parity", stretch=4, **SMALL)
        arena, whole = group(options, {"layer_1": "mamba3"})
        (first, _) = run(whole)
        assert len(first.artefact) == 2 * 8 * 4 * options.named[0].task.length
        assert 0 <= arena.score(whole, whole.trials[0], first.artefact).value <= 1


def test_the_page_of_the_arena_lists_every_mixer_task_and_option():
    page = (Path(sequence.__file__).parent / "README.md").read_text()
    for name, one in NAMED.items():
        assert f"| `{name}` | {one.equation.replace('|', chr(92) + '|')} | {one.source} |" in page
    for name in TASKS:
        assert f"| `{name}` |" in page
    told = set(re.findall(r"`(\w+)`", page))
    assert {field.name for field in fields(Options)} - told == {"shuffled"}
    assert {gene.name for gene in (*PARTS, *AROUND)} <= told

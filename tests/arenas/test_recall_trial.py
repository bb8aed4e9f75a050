"""A group of trials: what it delivers, how it is scored, and that its members are independent."""

import threading
from pathlib import Path

import numpy as np
import pytest

from novum.arenas.recall.arena import RecallArena
from novum.arenas.recall.data import HELD_OUT, TRAIN, sequences
from novum.arenas.recall.options import Options
from novum.arenas.recall.space import SPACE
from novum.arenas.recall.trial import run, warm
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.options import configured, parse_options
from novum.core.model.trial import ArtefactError, OutcomeKind, Trial, TrialGroup

OPTIONS = {"keys": 3, "writes": 2, "length": 15, "vocabulary": 16, "steps": 10, "held_out": 40, "width": 16}
ARENA = configured(RecallArena, OPTIONS, "the arena")


def group_of(genome, *trials, options=OPTIONS, **more):
    return TrialGroup("g", Candidate(SPACE.validate(genome)), trials, options, **more)


def trial(seed, rate=0.01):
    return Trial(f"t{seed}", seed, {"lr": rate})


def answers(seed, options=ARENA.options):
    return sequences(options, seed, HELD_OUT, 0, options.held_out).answers.astype("<u2")


def test_outputs_come_in_order_carry_no_score_and_repeat_exactly():
    group = group_of({"conv": 2, "write": "delta"}, trial(2**70), trial(1), trial(9, 0.03))
    first, again = run(group), run(group)
    assert [d.trial_id for d in first] == [t.id for t in group.trials]
    assert [d.artefact for d in first] == [d.artefact for d in again]
    assert all(set(d.facts) == {"loss", "steps", "group_seconds_per_step"} for d in first)
    assert all(0 <= ARENA.score(group, t, d.artefact).value <= 1 for t, d in zip(group.trials, first, strict=True))


def test_fidelity_scales_the_steps():
    (short,) = run(group_of({}, trial(1), fidelity=0.5))
    assert short.facts["steps"] == 5


def test_a_member_that_diverges_is_a_failure_and_its_neighbours_are_untouched():
    genome = {"conv": 4, "write": "delta"}
    calm = run(group_of(genome, trial(1), trial(2), trial(3)))
    wild = run(group_of(genome, trial(1), trial(2, 1e30), trial(3)))
    assert wild[1].failure is OutcomeKind.DIVERGED
    assert wild[1].artefact is None
    assert "not finite" in wild[1].cause
    assert [wild[0].artefact, wild[2].artefact] == [calm[0].artefact, calm[2].artefact]


@pytest.mark.parametrize("setting", [{}, {"lr": 0}, {"lr": "fast"}, {"lr": True}])
def test_a_trial_needs_a_learning_rate(setting):
    with pytest.raises(StudyError, match="'lr'"):
        run(group_of({}, Trial("t", 1, setting)))


def test_warming_up_leaves_no_threads():
    before = threading.active_count(), len(list(Path("/proc/self/task").iterdir()))
    warm()
    assert (threading.active_count(), len(list(Path("/proc/self/task").iterdir()))) == before


def test_truth_scores_one_and_guessing_scores_chance():
    group, one = group_of({}, trial(5)), trial(5)
    assert ARENA.score(group, one, answers(5).tobytes()).value == 1.0
    large = configured(RecallArena, OPTIONS | {"held_out": 4000}, "the arena")
    guesses = np.random.default_rng(0).integers(8, 16, size=(4000, large.options.queries)).astype("<u2")
    assert large.score(group, one, guesses.tobytes()).value == pytest.approx(1 / 8, abs=0.012)
    # Another seed's answers are worth no more than guessing.
    assert large.score(group, one, answers(6, large.options).tobytes()).value == pytest.approx(1 / 8, abs=0.012)


def test_the_score_trusts_neither_the_group_nor_its_options():
    forged = group_of({}, trial(5), options=OPTIONS | {"held_out": 1})
    with pytest.raises(ArtefactError):
        ARENA.score(forged, trial(5), answers(5)[:1].tobytes())


@pytest.mark.parametrize(
    "artefact",
    [b"", answers(5).tobytes()[:-2], answers(5).tobytes() + b"\0\0", answers(5).astype("<u4").tobytes(),
     np.full_like(answers(5), 16).tobytes(), np.full_like(answers(5), 65535).tobytes(), "text", None, answers(5)],
    ids=["empty", "short", "long", "wide", "first id outside", "last id", "text", "none", "array"],
)  # fmt: skip
def test_malformed_artefacts_are_refused(artefact):
    with pytest.raises(ArtefactError):
        ARENA.score(group_of({}, trial(5)), trial(5), artefact)


def test_ids_are_little_endian():
    wrong = answers(5).astype(">u2").tobytes()
    with pytest.raises(ArtefactError, match="vocabulary"):
        ARENA.score(group_of({}, trial(5)), trial(5), wrong)


def test_members_that_share_a_stream_have_dependent_differences():
    """Why each seed draws its own data: the mean of k differences must lose variance like 1/k.

    X answers every query with the last value written, B with the one before; where a member's own training failed (a
    third of the queries, drawn per member) X is wrong. D is their difference in accuracy on a small held-out stream.
    With own streams the mean of eight differences has 1/8 of the variance of one. When the members of a group read one
    stream their differences share its luck, and most of the variance stays however many members are added.
    """
    options, members, groups = parse_options(Options, OPTIONS | {"length": 13, "held_out": 16}, "the arena"), 8, 400
    rng = np.random.default_rng(0)

    def difference(seed):
        batch = sequences(options, seed, HELD_OUT, 0, options.held_out)
        values = batch.tokens[:, 1 : 2 * options.keys * options.writes : 2]
        failed = rng.random(batch.answers.shape) < 1 / 3
        x, b = (values[:, [-1]] == batch.answers) & ~failed, values[:, [-2]] == batch.answers
        return x.mean() - b.mean()

    own = np.array([[difference(100 * group + member) for member in range(members)] for group in range(groups)])
    shared = np.array([[difference(100 * group) for _ in range(members)] for group in range(groups)])
    kept_own, kept_shared = (d.mean(1).var(ddof=1) / d.var(ddof=1) for d in (own, shared))
    assert kept_own == pytest.approx(1 / members, rel=0.3)
    assert kept_shared > 4 / members


def test_known_answer_delta_revises_what_linear_attention_only_adds_to():
    """The default study in small: thresholds, not values (README.md has the measured table)."""
    arena, seeds = RecallArena(), [trial(seed, 0.03) for seed in range(2)]
    scores = []
    for genome in (arena.spec.baseline, {**arena.spec.baseline, "write": "delta"}):
        group = group_of(genome, *seeds, options={})
        scores.append([arena.score(group, t, d.artefact).value for t, d in zip(group.trials, run(group), strict=True)])
    linear, delta = scores
    assert min(linear) > 0.4
    assert max(linear) < 0.8 < 0.9 < min(delta)


def test_the_streams_of_a_groups_members_are_their_own():
    first, second = (sequences(ARENA.options, seed, TRAIN, 0, 160).tokens for seed in (1, 2))
    assert not (first == second).all(1).any()

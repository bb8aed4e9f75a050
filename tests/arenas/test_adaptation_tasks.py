"""Tasks of the adaptation arena: Bayes predictors that nothing beats, rows of tables that no two roles share."""

from dataclasses import replace

import numpy as np
import pytest

from novum.arenas.adaptation import tables
from novum.arenas.adaptation.episodes import NOISE, Episodes, Truth, _exam, exam, lesson, truth
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.score import by_level, score
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError, Role

REGRESSION = ("linear", "sinusoid", "process")


@pytest.mark.parametrize("task", REGRESSION)
def test_the_bayes_predictor_errs_as_much_as_its_risk_says_and_no_shift_of_it_errs_less(task):
    options = Options(task=task, exam=400, queries=16)
    answers, known = _exam(options, Role.GATE, 5).answers, truth(options, Role.GATE, 5)
    for level in range(len(options.levels)):
        wrong = (known.means[level] - answers) ** 2
        tasks = wrong.mean(1)
        assert abs(tasks.mean() - known.risks[level].mean()) < 4 * tasks.std() / np.sqrt(tasks.size)
        assert known.risks[level].min() > NOISE**2 * 0.999
    assert np.all(np.diff(known.risks.mean((1, 2))) < 0)
    for worse in (0.8 * known.means[-1], 1.2 * known.means[-1], np.roll(known.means[-1], 1, axis=1)):
        assert ((worse - answers) ** 2).mean() > ((known.means[-1] - answers) ** 2).mean()


@pytest.mark.parametrize("task", REGRESSION)
def test_the_score_of_the_bayes_predictor_is_one_and_of_anything_else_more(task):
    options = Options(task=task, exam=8, queries=4)
    known = truth(options, Role.SEARCH, 1)
    best = known.means.astype("<f4")
    assert score(options, Role.SEARCH, 1, best.tobytes()).value == pytest.approx(1.0, abs=1e-6)
    noisy = best + np.random.default_rng(0).normal(size=best.shape).astype("<f4")
    assert score(options, Role.SEARCH, 1, noisy.tobytes()).value > 1.2
    assert score(options, Role.SEARCH, 2, best.tobytes()).value > 1.2


def test_the_posterior_of_a_linear_map_is_ridge_regression():
    options = Options(task="linear", exam=2, queries=3, features=4)
    seen, known = exam(options, Role.SEARCH, 0), truth(options, Role.SEARCH, 0)
    for level, k in enumerate(options.levels):
        inputs, labels = seen.inputs[1, :k], seen.labels[1, :k]
        weights = np.linalg.solve(inputs.T @ inputs + 4 * NOISE**2 * np.eye(4), inputs.T @ labels)
        assert np.allclose(seen.asked[1] @ weights, known.means[level, 1])


def test_questions_after_more_examples_are_the_same_questions():
    few, many = Options(shots="2"), Options(shots="2, 20")
    assert truth(few, Role.SEARCH, 3).means.shape[1:] == truth(many, Role.SEARCH, 3).means.shape[1:]
    seen = exam(many, Role.SEARCH, 3)
    assert isinstance(seen, Episodes) and seen.inputs.shape == (64, 20, 1)


@pytest.mark.parametrize("task", [*REGRESSION, "tables"])
def test_seeds_roles_and_steps_draw_anew_and_again_the_same(task):
    options = Options(task=task, exam=4, queries=4)
    drawn = [exam(options, role, seed).inputs for role in Role for seed in (1, 2)]
    drawn += [lesson(options, 1, step)[0].inputs[:4] for step in (0, 1)]
    assert len({one.tobytes() for one in drawn}) == len(drawn)
    assert np.array_equal(exam(options, Role.GATE, 1).labels, exam(options, Role.GATE, 1).labels)


def test_shuffled_labels_tell_nothing():
    options = Options(task="linear", exam=200, shuffled=True)
    seen = exam(options, Role.SEARCH, 0)
    products = np.einsum("tkf,tk->tf", seen.inputs, seen.labels)
    assert abs(products.mean()) < 4 * products.std() / np.sqrt(products.size)
    known = truth(options, Role.SEARCH, 0)
    assert by_level(options, np.zeros_like(known.means), known).mean() > 1.5


def test_no_row_of_a_table_belongs_to_two_roles_and_each_has_enough_of_every_class():
    for name in tables.DIGESTS:
        parts = [tables._part(name, role) for role in tables.ROLES]
        assert sum(one.classes.size for one in parts) == tables._table(name).classes.size
        for one in parts:
            assert np.bincount(one.classes, minlength=2).min() >= 11
            assert np.allclose(one.features.mean(0), 0) and np.allclose(one.features.std(0), 1)


@pytest.mark.parametrize("drawn", ["made up", "real"])
def test_examples_of_a_table_take_the_classes_in_turn(drawn):
    options = Options(task="tables", exam=40, batch=40)
    seen = lesson(options, 0, 0)[0] if drawn == "made up" else exam(options, Role.GATE, 0)
    assert set(np.unique(seen.labels)) == {-1.0, 1.0}
    assert np.all(seen.labels[:, ::2] == -seen.labels[:, 1::2])
    assert np.isfinite(seen.asked).all() and np.abs(seen.asked).max() < 30


def test_accuracy_is_the_share_of_right_signs():
    options = Options(task="tables")
    known = Truth(np.array([[[1.0, -1.0, 1.0, 1.0]]]), np.ones((1, 1, 4)))
    assert by_level(options, np.array([[[0.3, -2.0, -0.1, 0.0]]]), known).tolist() == [0.5]


@pytest.mark.parametrize("artefact", [b"", b"\0" * 3, np.full(8, np.nan, "<f4").tobytes()])
def test_what_is_no_answer_is_refused(artefact):
    with pytest.raises(ArtefactError):
        score(Options(exam=1, queries=2), Role.SEARCH, 0, artefact)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shots": "5, 2"}, "rising order"),
        ({"shots": "two"}, "whole numbers separated by commas"),
        ({"shots": "0"}, "from 0 to 256"),
        ({"task": "tables", "shots": "2, 30"}, "at most 20 rows"),
    ],
)
def test_options_that_cannot_be_are_named(changes, words):
    with pytest.raises(StudyError, match=words):
        replace(Options(), **changes)

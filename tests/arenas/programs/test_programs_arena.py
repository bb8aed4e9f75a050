"""The programs arena: known rules learn what they are known to learn, scores are the lab's own, search finds."""

import numpy as np
import pytest

from novum.arenas.programs.arena import ProgramsArena
from novum.arenas.programs.options import Options
from novum.arenas.programs.search import SearchSettings, search
from novum.arenas.programs.spec import KNOWN, STEP
from novum.arenas.programs.tasks import make
from novum.core.model.candidate import Candidate
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup

pytestmark = pytest.mark.slow
NORMALISED = KNOWN["scales"]


def score(genome, role=Role.SEARCH, **options):
    """The mean over four trials."""
    from novum.arenas.programs.trial import run

    arena = ProgramsArena(Options(**options))
    trials = tuple(Trial(str(seed), seed) for seed in range(4))
    group = TrialGroup("g", Candidate(arena.space.validate(genome)), trials, options, role=role)
    outputs = run(group)
    pairs = zip(trials, outputs, strict=True)
    return float(np.mean([arena.score(group, one, output.artefact).value for one, output in pairs]))


def test_least_mean_squares_learns_a_linear_map_also_on_more_features_and_examples():
    assert score({}) < 0.5
    assert score(STEP, features=4, examples=200) > 0.99
    assert score(STEP, Role.GATE, features=4, examples=200) > 0.999


def test_the_normalised_step_wins_where_examples_have_uneven_scales():
    best = max(
        score({**STEP, "setup": f"b = {rate}"}, task="scales", operations="vectors") for rate in (0.001, 0.01, 0.1)
    )
    assert score(NORMALISED, task="scales", operations="vectors") > best + 0.05


def test_hebbian_learning_with_normalisation_finds_the_first_component():
    assert score({}, task="component", operations="vectors", features=8) < 0.4
    assert score(KNOWN["component"], task="component", operations="vectors", features=8) > 0.8


def test_gradient_descent_through_two_layers_beats_a_linear_reading():
    network = {
        "setup": "b = 0.1",
        "predict": "u = W @ x; v = relu(u); p = dot(w, v)",
        "learn": "a = y - p; a = a * b; u = step(u); u = u * w; u = a * u; U = outer(u, x); W = U + W; "
        "v = a * v; w = v + w",
    }
    options = {"task": "teacher", "operations": "matrices", "predict": 5, "learn": 12, "examples": 2000, "features": 6}
    assert score(network, **options) > score(STEP, **options) + 0.1


def test_real_digits_are_told_apart():
    assert score(KNOWN["digits"], task="digits", features=8) > 0.8


def test_shuffled_labels_leave_nothing_to_learn():
    assert abs(score(STEP, shuffled=True) - score({}, shuffled=True)) < 0.2
    assert score(STEP, shuffled=True) < 0.6


def test_an_artefact_of_another_length_is_refused():
    arena = ProgramsArena()
    group = TrialGroup("g", Candidate({}), (Trial("t", 0),))
    with pytest.raises(ArtefactError, match="160 doubles"):
        arena.score(group, group.trials[0], b"\0" * 8)


def test_search_split_and_confirmation_have_no_example_in_common():
    one, other = make(Options(), Role.SEARCH, 5), make(Options(), Role.GATE, 5)
    assert one.examples.shape[1:] == (4, 8)
    assert other.examples.shape == (1020, 16, 8)


def test_evolution_finds_a_rule_that_learns_and_chance_does_not():
    settings = SearchSettings(population=300, enough=0.95, restart=200_000)
    found = search(Options(), 1, settings, 20.0)
    chance = search(Options(), 1, SearchSettings(random=True, enough=0.95), 1.0)
    assert found.fitness > 0.95 > chance.fitness
    genome = ProgramsArena().space.genome(found.program)
    assert score(genome, Role.GATE) > 0.95
    assert sum(found.counts) == found.programs


def test_a_direction_that_never_moves_is_no_slow_rule():
    from novum.arenas.programs.recognise import nearest
    from novum.symbolic.program import Program

    options = Options(task="component", features=8, examples=200)
    assert nearest(Program(((), (), ())), options).difference > 0.5

"""Fixed images in parts: what a trial may see, what is scored, and that the arena can tell better from worse."""

import random
import statistics
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.arenas.digits import data, packaged_tables, trial
from novum.arenas.digits.arena import DigitsArena
from novum.arenas.digits.features import copies, features, scaled
from novum.arenas.digits.options import Options
from novum.arenas.digits.space import GENES, SPACE, Design, canonical
from novum.arenas.digits.spec import BASELINE, WORST
from novum.core.model.candidate import Candidate
from novum.core.model.errors import MissingExtra, StudyError, UserError
from novum.core.model.options import configured
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor
from novum.gate.leak_check import leak

ARENA = DigitsArena()
MODELS = next(gene.choices for gene in GENES if gene.name == "model")
CACHES = (data._pixels, data._pool_labels, data._part_labels)
PROGRAM = ARENA.spec.program


def group_of(genome, *seeds, options=None, c=1.0, **more):
    trials = tuple(Trial(f"t{seed}", seed, {"c": c}) for seed in seeds)
    return TrialGroup("g", Candidate(SPACE.validate(genome)), trials, options or {}, **more)


def artefacts(group):
    return [output.artefact for output in trial.run(group)]


def accuracy(genome, seeds, role=Role.GATE, options=None, c=10.0):
    arena, group = (
        configured(DigitsArena, options or {}, "the arena"),
        group_of(genome, *seeds, options=options, c=c, role=role),
    )
    return [arena.score(group, t, a).value for t, a in zip(group.trials, artefacts(group), strict=True)]


def truth(seed=0, options=None):
    return np.concatenate([data.answers(options or Options(), seed, role) for role in Role]).astype(np.uint8)


@pytest.fixture
def fresh():
    """Nothing that was read before counts, and nothing that is read now stays."""

    def clear():
        for cache in CACHES:
            cache.cache_clear()

    clear()
    yield
    clear()


def test_the_parts_are_disjoint_and_cover_the_data():
    parts = [data.POOL, *(data.PARTS[role] for role in Role)]
    assert [part.size for part in parts] == [720, 359, 359, 359]
    assert sorted(np.concatenate(parts)) == list(range(1797))
    assert data.SCORED.tolist() == [row for role in Role for row in data.PARTS[role]]
    # The constant fixes them for good: a changed permutation would mix what was kept apart in older labs.
    assert [int(part[0]) for part in parts] == [1110, 28, 253, 159]


def test_the_images_are_those_of_scikit_learn_and_no_two_are_alike():
    from sklearn.datasets import load_digits

    known, rows = load_digits(), np.arange(1797)
    np.testing.assert_array_equal(data.images(rows), known.data)
    assert len(np.unique(data.images(rows), axis=0)) == 1797
    np.testing.assert_array_equal(truth(), known.target[data.SCORED])
    np.testing.assert_array_equal(data.lesson(Options(), 5, np.arange(720)), known.target[data.POOL])


def test_samples_are_drawn_without_replacement_and_differ_between_seeds_and_draws():
    drawn = [data.sample(seed, draw, 150) for seed in (0, 1, 2**200) for draw in (0, 1)]
    assert all(len(set(places.tolist())) == 150 and places.max() < 720 for places in drawn)
    assert len({tuple(places) for places in drawn}) == 6
    for one, other in pairwise(drawn):
        # Two independent samples of 150 from 720 share 31 on average, with an sd of 4.5.
        assert len(set(one.tolist()) & set(other.tolist())) == pytest.approx(31, abs=20)
    np.testing.assert_array_equal(data.sample(3, 0, 300)[:150], data.sample(3, 0, 150))


def test_a_trial_never_asks_for_labels_of_what_is_scored(fresh, monkeypatch):
    asked = []
    labels = data.labels
    monkeypatch.setattr(data, "labels", lambda rows: asked.append(rows) or labels(rows))
    monkeypatch.setattr(data, "_part_labels", lambda role: pytest.fail("a worker has no use for these"))
    trial.run(group_of({}, 1, 2))
    trial.run(group_of({}, 1, options={"shuffled": True, "noise": 2.0}))
    assert [set(rows.tolist()) for rows in asked] == [set(data.POOL.tolist())]


@pytest.mark.parametrize("genome", [{}, {"model": "svm", "kernel": "rbf", "features": "both", "scale": "standardise"}])
def test_predictions_do_not_depend_on_the_labels_of_the_scored_parts(genome, fresh, monkeypatch):
    before, answers, lines = artefacts(group_of(genome, 1, 2)), truth(), data._lines()
    scored = set(data.SCORED.tolist())
    changed = [f"{line[:-1]}{(int(line[-1]) + 3) % 10}" if row in scored else line for row, line in enumerate(lines)]
    monkeypatch.setattr(data, "_lines", lambda: changed)
    for cache in CACHES:
        cache.cache_clear()
    assert artefacts(group_of(genome, 1, 2)) == before
    assert (truth() != answers).all()


@pytest.mark.parametrize("model", MODELS)
def test_trials_repeat_byte_for_byte_and_do_not_depend_on_their_group(model):
    genome = {"model": model, "augment": "shift", "features": "gradients"}
    options = {"train": 60, "noise": 1.0}
    first = artefacts(group_of(genome, 2**70, 1, 9, options=options))
    assert artefacts(group_of(genome, 2**70, 1, 9, options=options)) == first
    assert artefacts(group_of(genome, 9, options=options)) == first[2:]
    assert len(set(first)) == 3
    # The role is the lab's affair: a worker says the same whatever is scored.
    assert artefacts(group_of(genome, 9, options=options, role=Role.FINAL)) == first[2:]


def test_a_worker_process_says_the_same_byte_for_byte():
    group = group_of({"model": "trees"}, 3, 4, options={"train": 60})
    with LocalExecutor(PROGRAM, 1) as executor:
        executor.submit(group)
        (result,) = executor.collect(60)
    assert [output.artefact for output in result.outputs] == artefacts(group)


def test_warming_up_leaves_no_threads():
    before = threading.active_count(), len(list(Path("/proc/self/task").iterdir()))
    trial.warm()
    assert (threading.active_count(), len(list(Path("/proc/self/task").iterdir()))) == before


def test_every_admissible_genome_runs_without_a_warning():
    rng = random.Random(0)
    for number in range(40):
        options = {"train": 30, "shuffled": bool(number % 2), "noise": float(number % 3)}
        (one,) = trial.run(group_of(SPACE.sample(rng), number, options=options, c=rng.choice([0.1, 1.0, 10.0])))
        assert len(one.artefact) == data.SCORED.size


def test_fidelity_scales_what_is_learned_from():
    (one,) = trial.run(group_of({"augment": "shift"}, 1, fidelity=0.5))
    assert one.facts["rows"] == 5 * 75


@pytest.mark.parametrize("setting", [{}, {"c": 0}, {"c": -1.0}, {"c": "strong"}, {"c": True}, {"c": float("nan")}])
def test_a_trial_needs_a_strength_of_fit(setting):
    group = TrialGroup("g", Candidate(SPACE.validate({})), (Trial("t", 1, setting),))
    with pytest.raises(StudyError, match="'c'"):
        trial.run(group)


@pytest.mark.parametrize("role", list(Role))
def test_the_scorer_looks_at_the_part_of_the_role_only(role):
    said, start = truth(), 359 * list(Role).index(role)
    mine = slice(start, start + 359)
    group, one = group_of({}, 7, role=role), Trial("t7", 7, {})
    others_wrong = (said + 1) % 10
    others_wrong[mine] = said[mine]
    assert ARENA.score(group, one, others_wrong.tobytes()).value == 1.0
    some_wrong = said.copy()
    some_wrong[start : start + 36] = (said[start : start + 36] + 1) % 10
    score = ARENA.score(group, one, some_wrong.tobytes())
    assert score.value == pytest.approx(1 - 36 / 359)
    each = ARENA.per_example(group_of({}, 7), one, some_wrong.tobytes(), role)
    assert list(each) == [0.0] * 36 + [1.0] * 323
    assert statistics.fmean(each) == pytest.approx(score.value)


def test_the_worst_digit_is_the_one_that_is_read_worst():
    said, group = truth(), group_of({}, 1)
    sevens = np.flatnonzero(said[:359] == 7)
    said[sevens[: len(sevens) // 2]] = 1
    score = ARENA.score(group, group.trials[0], said.tobytes())
    assert score.others == {WORST: pytest.approx(1 - (len(sevens) // 2) / len(sevens))}


GOOD = bytes(3 * 359)


@pytest.mark.parametrize(
    "artefact",
    [b"", GOOD[:-1], GOOD + b"\0", GOOD[:359], b"\x0a" + GOOD[1:], GOOD[:-1] + b"\xff", "text", None, bytearray(GOOD)],
    ids=["empty", "short", "long", "one part", "ten", "far outside, in another part", "text", "none", "array"],
)
def test_malformed_artefacts_are_refused(artefact):
    group = group_of({}, 1)
    with pytest.raises(ArtefactError):
        ARENA.score(group, group.trials[0], artefact)
    with pytest.raises(ArtefactError):
        ARENA.per_example(group, group.trials[0], artefact, Role.FINAL)


def test_the_score_does_not_trust_the_options_of_the_group():
    honest, forged = group_of({}, 1), group_of({}, 1, options={"shuffled": True})
    for arena in (ARENA, configured(DigitsArena, {"shuffled": True}, "the arena")):
        scores = [arena.score(group, group.trials[0], truth().tobytes()) for group in (honest, forged)]
        assert scores[0] == scores[1]


@pytest.mark.parametrize("genome", [{}, ARENA.spec.controls.known, {"model": "centroid"}])
def test_shuffled_labels_leave_chance_accuracy(genome):
    scores = [x for role in Role for x in accuracy(genome, range(8), role, {"shuffled": True})]
    guesses = len(scores) * 359
    assert statistics.fmean(scores) == pytest.approx(0.1, abs=4.5 * (0.09 / guesses) ** 0.5)


def test_under_shuffled_labels_not_even_a_constant_guess_is_better():
    options, guesses = Options(shuffled=True), 3 * 359 * 200
    drawn = np.concatenate([truth(seed, options) for seed in range(200)])
    shares = np.bincount(drawn, minlength=10) / guesses
    np.testing.assert_allclose(shares, 0.1, atol=4.5 * (0.09 / guesses) ** 0.5)
    assert (truth(1, options) != truth(2, options)).mean() == pytest.approx(0.9, abs=0.05)


def test_known_answers_stand_out_and_the_null_control_does_not():
    """README.md has the measured table; here thresholds. Differences are paired: both sides learn from one sample."""
    base = accuracy(BASELINE, range(12))
    known = accuracy({**BASELINE, **ARENA.spec.controls.known}, range(12))
    differences = [better - worse for better, worse in zip(known, base, strict=True)]
    assert statistics.fmean(differences) > 2 * statistics.stdev(differences)
    assert 0.85 < statistics.fmean(base) < 0.94 < statistics.fmean(known)
    null = accuracy({**BASELINE, **ARENA.spec.controls.null}, range(12))
    differences = [other - one for other, one in zip(null, base, strict=True)]
    assert abs(statistics.fmean(differences)) < 4 * statistics.stdev(differences) / 12**0.5


def test_noise_makes_it_harder_and_more_images_make_it_easier():
    few, many = (statistics.fmean(accuracy({}, range(4), options={"train": n})) for n in (75, 600))
    assert many > few + 0.03
    assert statistics.fmean(accuracy({}, range(4), options={"noise": 4.0})) < statistics.fmean(accuracy({}, range(4)))


def test_declared_examples_are_what_is_learned_from_and_scored_and_do_not_leak():
    search, gate = group_of({}, 1, 2), group_of({"draw": 1}, 3, fidelity=0.5, role=Role.GATE)
    declared = {g.role: [ARENA.examples(g, t) for t in g.trials] for g in (search, gate)}
    one, other = declared[Role.SEARCH]
    assert len(one["train"]) == 150
    assert one["train"] != other["train"]
    assert one["scored"] == other["scored"]
    assert len(declared[Role.GATE][0]["train"]) == 75
    found = leak(declared[Role.SEARCH], declared[Role.GATE])
    assert found.ok, found.words
    noisy = configured(DigitsArena, {"noise": 3.0, "shuffled": True}, "the arena").examples(search, search.trials[0])
    assert noisy == one  # the image counts, not what was made of it
    assert leak(declared[Role.SEARCH], declared[Role.SEARCH]).ok is False


genomes = st.fixed_dictionaries({gene.name: st.sampled_from(gene.choices) for gene in GENES})


@given(genomes)
def test_the_normal_form_is_idempotent_and_costs_the_same(genome):
    normal = canonical(genome)
    assert canonical(normal) == normal == SPACE.validate(normal)
    assert Design.of(genome) == Design.of(normal)
    assert ARENA.cost(genome) == ARENA.cost(normal)
    assert ARENA.cost(genome).parameters > 0


@pytest.mark.parametrize(
    ("genome", "gene", "values"),
    [
        ({"model": "trees"}, "scale", ("none", "standardise")),
        ({"model": "logistic"}, "kernel", ("linear", "rbf")),
        ({"model": "ridge"}, "width", (0.5, 2.0)),
        ({"model": "svm", "kernel": "poly"}, "width", (1.0, 2.0)),
        ({"model": "svm"}, "neighbours", (1, 5)),
    ],
)
def test_genes_without_effect_do_not_split_candidates(genome, gene, values):
    first, second = (SPACE.validate({**genome, gene: value}) for value in values)
    assert first == second


def test_trees_do_not_care_for_standardising():
    """The one claim of the normal form that is not plain from the code; it holds up to rounding."""
    options, places = Options(), data.sample(1, 0, 150)
    said = []
    for scale in ("none", "standardise"):
        design = Design(**{**SPACE.validate({"model": "trees"}), "scale": scale})
        learned, scored = scaled(design, data.images(data.POOL[places]) / 16, data.images(data.SCORED) / 16)
        forest = trial._classifier(design, 1.0, 1)
        forest.fit(learned, data.lesson(options, 1, places))
        said.append(forest.predict(scored))
    assert (said[0] == said[1]).mean() > 0.99


def test_features_have_the_declared_size_and_copies_show_the_same_image():
    images = data.images(data.POOL[:5]) / 16
    for name in ("pixels", "blocks", "gradients", "both"):
        design = Design.of({"features": name})
        assert features(design, images).shape == (5, design.inputs)
    for name in ("none", "shift", "slant"):
        design = Design.of({"augment": name})
        made = copies(design, images)
        assert made.shape == (5 * design.copies, 64)
        np.testing.assert_array_equal(made[:5], images)
    shifted = copies(Design.of({"augment": "shift"}), images).reshape(5, 5, 8, 8)
    grid = images.reshape(5, 8, 8)
    np.testing.assert_array_equal(shifted[1][:, :, 1:], grid[:, :, :-1])
    np.testing.assert_array_equal(shifted[2][:, :, :-1], grid[:, :, 1:])
    np.testing.assert_array_equal(shifted[3][:, 1:], grid[:, :-1])
    np.testing.assert_array_equal(shifted[4][:, :-1], grid[:, 1:])


def test_scaling_is_estimated_from_what_is_learned_alone():
    rng = np.random.default_rng(0)
    learned, scored = rng.normal(3, 2, (50, 6)), rng.normal(0, 1, (9, 6))
    design = Design.of({"scale": "standardise"})
    one, _ = scaled(design, learned, scored)
    np.testing.assert_allclose([one.mean(0), one.std(0)], [np.zeros(6), np.ones(6)], atol=1e-12)
    together, alone = scaled(design, learned, scored)[1], scaled(design, learned, scored[:1])[1]
    np.testing.assert_array_equal(together[:1], alone)
    constant, _ = scaled(design, np.ones((4, 2)), scored[:, :2])
    np.testing.assert_array_equal(constant, np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trian": 100}, ["options.trian", "train", "noise", "shuffled"]),
        ({"train": 10}, ["options.train", "20 to 720"]),
        ({"train": 721}, ["options.train", "20 to 720"]),
        ({"train": 150.0}, ["options.train", "int"]),
        ({"train": True}, ["options.train", "int"]),
        ({"noise": -1.0}, ["options.noise", "0.0 to 16.0"]),
        ({"noise": float("nan")}, ["options.noise", "0.0 to 16.0"]),
        ({"noise": "loud"}, ["options.noise", "float"]),
        ({"shuffled": 1}, ["options.shuffled", "bool"]),
    ],
)
def test_wrong_options_are_refused_by_name(given, words):
    with pytest.raises(StudyError) as error:
        configured(DigitsArena, given, "the arena")
    assert all(word in str(error.value) for word in words)


def test_transfers_are_those_that_the_options_allow():
    assert [t.options for t in ARENA.spec.transfers] == [{"train": 300}, {"noise": 3.0}]
    assert [t.options for t in configured(DigitsArena, {"train": 500}, "the arena").spec.transfers] == [{"noise": 3.0}]
    assert not configured(DigitsArena, {"train": 500, "noise": 14}, "the arena").spec.transfers


def test_a_missing_or_altered_file_is_named(fresh, monkeypatch):
    group = group_of({}, 1)
    monkeypatch.setattr(data, "FILE_DIGEST", "0" * 64)
    with pytest.raises(UserError, match=r"digits\.csv\.gz does not hold the digits"):
        ARENA.score(group, group.trials[0], GOOD)
    monkeypatch.setattr(packaged_tables, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="scikit-learn"):
        ARENA.score(group, group.trials[0], GOOD)


def test_the_lab_side_never_imports_scikit_learn():
    code = (
        "import sys\n"
        "from novum.arenas.digits.arena import DigitsArena\n"
        "from novum.core.model.candidate import Candidate\n"
        "from novum.core.model.trial import Role, Trial, TrialGroup\n"
        "arena, trial = DigitsArena(), Trial('t', 1, {'c': 1.0})\n"
        "genome = arena.space.validate(arena.spec.baseline)\n"
        "group = TrialGroup('g', Candidate(genome), (trial,), role=Role.GATE)\n"
        "arena.score(group, trial, bytes(1077)), arena.per_example(group, trial, bytes(1077), Role.FINAL)\n"
        "arena.examples(group, trial), arena.cost(genome)\n"
        "sys.exit(any(name.split('.')[0] in ('sklearn', 'scipy', 'joblib') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

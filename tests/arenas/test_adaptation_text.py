"""Text in the adaptation arena: topics that no two roles share, probabilities made by the lab, bits that are saved."""

import numpy as np
import pytest

from novum.arenas.adaptation import texts
from novum.arenas.adaptation.arena import AdaptationArena
from novum.arenas.adaptation.episodes import exam, lesson, truth
from novum.arenas.adaptation.named import METHODS
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.score import SAVED, score, written
from novum.core.model.candidate import Candidate
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup

OPTIONS = {"task": "text", "shots": "0, 16", "exam": 4, "queries": 16, "batch": 4}


def test_an_example_is_a_character_after_the_eight_before_it():
    for seen in (lesson(Options(**OPTIONS), 0, 0)[0], exam(Options(**OPTIONS), Role.GATE, 0)):
        assert np.array_equal(seen.inputs[:, 1:, -1], seen.labels[:, :-1])
        assert np.array_equal(seen.inputs[:, 1:, :-1], seen.inputs[:, :-1, 1:])
        assert np.array_equal(seen.asked[:, 0, -1], seen.labels[:, -1])
        assert seen.labels.min() >= 0 and seen.labels.max() < texts.SYMBOLS


def test_no_topic_belongs_to_two_roles():
    topics = [{one.tobytes() for one in texts._topics(role)} for role in texts.ROLES]
    assert all(len(one) >= 8 for one in topics)
    assert not topics[0] & topics[1] and not topics[0] & topics[2] and not topics[1] & topics[2]


def test_every_character_has_a_number_and_only_odd_ones_share_it():
    coded = texts._coded(np.array([ord(letter) for letter in "\n ~aé"]))
    assert coded.tolist() == [0, 2, 96, 67, 1]


def test_a_distribution_comes_back_nearly_as_it_was_and_adds_up_to_one():
    options = Options(**OPTIONS)
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(2, 4, 16, texts.SYMBOLS)).astype(np.float32)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    places = truth(options, Role.SEARCH, 0).means.astype(int)[..., None]
    expected = -np.take_along_axis(logs, places, -1)[..., 0].mean((1, 2)) / np.log(2)
    found = score(options, Role.SEARCH, 0, written(logits))
    assert list(found.others.values())[:2] == pytest.approx(expected.tolist(), abs=0.05)


def test_certainty_in_everything_is_worth_what_a_guess_is():
    """A worker that calls every character certain gets the uniform distribution."""
    options = Options(**OPTIONS)
    found = score(options, Role.SEARCH, 0, bytes(2 * 4 * 16 * texts.SYMBOLS))
    assert found.value == pytest.approx(np.log2(texts.SYMBOLS))
    with pytest.raises(ArtefactError):
        score(options, Role.SEARCH, 0, b"\0")


@pytest.mark.slow
def test_weights_that_adapt_beat_frozen_ones_on_another_kind_of_text():
    """Dynamic evaluation (Krause et al. 2018, arXiv 1709.07432)."""
    pytest.importorskip("torch")
    from novum.arenas.adaptation.trial import run

    options = {**OPTIONS, "shots": "0, 128", "steps": 100, "exam": 8, "queries": 64, "batch": 8}
    arena = AdaptationArena(Options(**options))
    found = {}
    for name in ("no adaptation", "fine-tuning"):
        trials = (Trial("a", 0, {"lr": 0.01, "inner": 0.5}), Trial("b", 1, {"lr": 0.01, "inner": 0.5}))
        group = TrialGroup("g", Candidate(arena.space.validate(METHODS[name])), trials, options)
        scores = [arena.score(group, t, o.artefact) for t, o in zip(trials, run(group), strict=True)]
        found[name] = [np.mean([one.others[key] for one in scores]) for key in scores[0].others]
    frozen, tuned = found["no adaptation"], found["fine-tuning"]
    assert frozen[0] == pytest.approx(frozen[1]) == pytest.approx(tuned[0])
    assert tuned[1] < frozen[1] - 0.05
    assert tuned[2] > 0 == frozen[2]
    assert SAVED in scores[0].others

"""A space is held to its rules when it is made, so that nothing deep inside meets a choice that is none."""

from __future__ import annotations

import random

import numpy as np
import pytest

from novum.core.model.candidate import Candidate, Gene, Space
from novum.core.model.errors import StudyError


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (("a", "a"), "'a' and 'a', which are the same"),
        ((1, 1.0), r"1 and 1\.0, which are the same"),
        ((1, True), "1 and True, which are the same"),
        ((0.0, -0.0), r"0\.0 and -0\.0, which are the same"),
        ((), "no choices"),
        ("abc", "choices are a tuple"),
        (3, "choices are a tuple"),
        ((None, 1), "choices are texts, numbers"),
        (((1, 2), 3), "choices are texts, numbers"),
        ((float("nan"), 1), "cannot have the choice nan"),
        ((float("inf"),), "cannot have the choice inf"),
        ((2**80,), "cannot have the choice"),
        (("\ud800",), "cannot have the choice"),
    ],
)
def test_choices_that_are_none_are_refused_by_name(choices, words):
    with pytest.raises(StudyError, match=f"gene 'g'.*{words}"):
        Gene("g", choices)


@pytest.mark.parametrize("name", ["", 3, None])
def test_a_gene_has_a_name(name):
    with pytest.raises(StudyError, match="a gene has a name"):
        Gene(name, (1, 2))


def test_a_space_has_genes_of_different_names():
    with pytest.raises(StudyError, match="at least one gene"):
        Space(())
    with pytest.raises(StudyError, match="two genes of the space are called 'g'"):
        Space((Gene("g", (1, 2)), Gene("g", (3, 4))))


def test_numbers_of_numpy_are_numbers():
    space = Space([Gene("n", list(np.arange(3))), Gene("x", (np.float32(0.5), np.bool_(True)))])
    assert space.genes == (Gene("n", (0, 1, 2)), Gene("x", (0.5, True)))
    assert Candidate(space.validate({"n": np.int64(2)})).id == Candidate(space.validate({"n": 2})).id


def test_where_nothing_can_change_nothing_does():
    space = Space((Gene("g", (1,)),))
    assert space.mutate({"g": 1}, random.Random(0)) == {"g": 1}

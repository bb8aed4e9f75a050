"""What a finding is taken apart into: genes, and statements where a gene is a program."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from labs import ScriptedArena

from novum.core.engine.finding_parts import parts, without
from novum.core.model.candidate import Candidate

SPEC = replace(ScriptedArena().spec, statements=("code",))


class AsItIs:
    """A space that admits everything."""

    def validate(self, genome):
        return dict(genome)


def finding(mine, other):
    return SimpleNamespace(rule=SimpleNamespace(candidate=Candidate(mine), incumbent=Candidate(other)))


def test_genes_are_parts_and_go_back_to_what_the_incumbent_has():
    one = finding({"a": 1, "b": 2, "c": 3}, {"a": 0, "b": 2})
    assert parts(SPEC, one) == ["a", "c"]
    assert without(AsItIs(), SPEC, one, ("a",)).genome == {"a": 0, "b": 2, "c": 3}
    assert without(AsItIs(), SPEC, one, ("a", "c")).genome == {"a": 0, "b": 2}


def test_statements_that_the_incumbent_lacks_are_parts_one_by_one():
    one = finding({"code": "x = 1; y = 2; x = 1; z = 3"}, {"code": "x = 1; w = 0"})
    assert parts(SPEC, one) == ["code 2: y = 2", "code 3: x = 1", "code 4: z = 3"]
    assert without(AsItIs(), SPEC, one, ("code 3: x = 1",)).genome == {"code": "x = 1; y = 2; z = 3"}
    assert without(AsItIs(), SPEC, one, parts(SPEC, one)).genome == {"code": "x = 1"}


def test_genes_and_statements_go_together():
    one = finding({"code": "x = 1; y = 2", "rate": 3}, {"code": "", "rate": 1})
    assert parts(SPEC, one) == ["code 1: x = 1", "code 2: y = 2", "rate"]
    assert without(AsItIs(), SPEC, one, ("rate", "code 1: x = 1")).genome == {"code": "y = 2", "rate": 1}


@pytest.mark.parametrize(
    ("mine", "other"),
    [({"a": 1}, {"a": 0}), ({"code": "x = 1"}, {"code": ""}), ({"code": ""}, {"code": "x = 1; y = 2"})],
)
def test_what_is_one_part_is_not_taken_apart(mine, other):
    assert parts(SPEC, finding(mine, other)) == []

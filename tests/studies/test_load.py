from __future__ import annotations

import pytest

from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.lab import wiring
from novum.studies.load import built_in, load_study, parse_study

GOOD = """
name = "mine"
arena = "coinflip"
budget = "30s"

[options]
world = "null"

[gate]
alpha = 0.05

[researcher]
name = "evolve"

[researcher.options]
population = 8
"""


def test_a_study_file_is_read():
    file = parse_study(GOOD, "mine.toml")
    assert file.study.gate.alpha == 0.05
    assert file.study.options == {"world": "null"}
    assert file.budget == Budget(wall_seconds=30)
    wiring.check(file.study)


@pytest.mark.parametrize("name", built_in())
def test_built_in_studies_are_valid_and_bounded(name):
    file = load_study(name)
    assert file.budget.bounded
    assert file.study.name == name
    assert file.study.question
    wiring.check(file.study)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "mine"', 'name = "mine', r"mine\.toml line 2: not valid TOML"),
        ("alpha = 0.05", "alpha = 1.5", r"mine\.toml line 10: gate\.alpha: .*less than 1 \(got 1\.5\)"),
        ("alpha = 0.05", "alpha = 'high'", r"line 10: gate\.alpha: .*number"),
        (
            "alpha = 0.05",
            "alfa = 0.05",
            r"line 10: gate\.alfa: unknown key; allowed here: claim, loss_bound, process, alpha, planned",
        ),
        ('arena = "coinflip"', 'arina = "coinflip"', r"'arena' is missing|arina: unknown key"),
        ('budget = "30s"', 'budget = "-3s"', r"line 4: budget .*cannot read '-3s'; write 30s, 5m"),
        ("[gate]", "[gaet]", r"line 9: gaet: unknown key; allowed here: budget, name"),
    ],
)
def test_mistakes_are_named_with_line_key_and_what_is_allowed(old, new, said):
    with pytest.raises(StudyError, match=said):
        parse_study(GOOD.replace(old, new, 1), "mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'arena = "coinflip"',
            'arena = "coins"',
            r"mine\.toml line 3: arena: there is no 'coins'; choose from adaptation, coinflip",
        ),
        ('world = "null"', 'world = "flat"', r"line 7: options\.world: cannot be 'flat'; choose mixed or null"),
        (
            'name = "evolve"',
            'name = "evolv"',
            r"line 13: researcher\.name: there is no 'evolv'; choose from archive, bayes, bulk, code, evolve",
        ),
        ('budget = "30s"', 'executor = "cloud"', r"line 4: executor: there is no 'cloud'; choose from inline, local"),
        ("population = 8", "population = 0", r"line 16: researcher\.options\.population"),
        ("population = 8", "size = 8", r"researcher\.options\.size"),
    ],
)
def test_mistakes_that_only_the_rooms_can_see_are_located_too(old, new, said):
    file = parse_study(GOOD.replace(old, new, 1), "mine.toml")
    with pytest.raises(StudyError) as caught:
        wiring.check(file.study)
    import re

    assert re.search(said, str(file.locate(caught.value))), file.locate(caught.value)


def test_an_unknown_study_lists_the_known_ones(tmp_path):
    with pytest.raises(StudyError, match=r"no study 'recal': choose .*coinflip.*recall"):
        load_study("recal")
    with pytest.raises(StudyError, match="cannot read"):
        load_study(str(tmp_path / "none.toml"))
    (tmp_path / "latin.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(StudyError, match="UTF-8"):
        load_study(str(tmp_path / "latin.toml"))

"""What people type: capitals, -h, units, completion, and the words that one meets first."""

from __future__ import annotations

from pathlib import Path

import pytest

from novum.cli.help_command import WORDS

GLOSSARY = (Path(__file__).parents[2] / "docs/glossary.md").read_text()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("show H1", "show h1"),
        ("show G3.0", "show g3.0"),
        ("explain H1", "explain h1"),
        ("lineage H1", "lineage h1"),
        ("diff BASELINE Incumbent", "diff baseline incumbent"),
        ("replay G3.0 --workers 1", "replay g3.0 --workers 1"),
    ],
)
def test_names_are_known_however_they_are_capitalised(novum, ended, typed, meant):
    said, expected = (novum(*words.split(), "--lab", ended) for words in (typed, meant))
    assert (said.status, said.out) == (expected.status, expected.out)
    assert said.status == 0


@pytest.mark.parametrize("word", WORDS)
def test_the_first_words_are_explained_and_are_those_of_the_glossary(novum, word):
    assert novum("help", word.upper()).out.strip() == WORDS[word]
    assert word in GLOSSARY
    assert f"{word} " in novum("help").out


def test_help_is_had_in_every_way_that_people_try(novum, refused):
    assert novum("help", "show").out == novum("show", "-h").out
    assert novum("-h").out == novum("--help").out
    assert "neither a command" in refused("help", "frobnicate")


def test_the_shell_can_complete(novum):
    assert "--install-completion" in novum("--help").out

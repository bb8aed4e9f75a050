"""Artefacts by a pattern: what is found, what is passed over, and the bounds of the search."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from novum.core.model.trial import OutcomeKind
from novum.sandbox import glob_files
from novum.sandbox.glob_files import TooManyFilesError, find_files, fits_glob

PATHS = ("a.txt", "runs/a.txt", "runs/x/a.txt", "runs/x/y/a.txt", "runs/x/y/b.csv", "other/x/a.txt", "runs/x.txt/c")
PATTERNS = ("*", "*.txt", "runs/*", "runs/*/a.txt", "runs/**/a.txt", "**/a.txt", "**", "runs/**", "**/x/**",
            "*/[xz]/?.txt", "**/**/a.txt", "runs/**/y/*", "**/*.txt/*", "a.txt/**")  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def found(folder, pattern):
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return find_files(at, pattern)
    finally:
        os.close(at)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_search_finds_what_fits(folder, pattern):
    assert found(folder, pattern) == sorted(path for path in PATHS if fits_glob(path, pattern))


def test_what_patterns_mean():
    fitting = {pattern: {path for path in PATHS if fits_glob(path, pattern)} for pattern in PATTERNS}
    assert fitting["*"] == {"a.txt"}
    assert fitting["runs/**/a.txt"] == {"runs/a.txt", "runs/x/a.txt", "runs/x/y/a.txt"}
    assert fitting["runs/*/a.txt"] == {"runs/x/a.txt"}
    assert fitting["**"] == set(PATHS)
    assert fitting["**/x/**"] == {"runs/x/a.txt", "runs/x/y/a.txt", "runs/x/y/b.csv", "other/x/a.txt"}


def test_no_link_is_followed(folder):
    (folder / "runs/latest").symlink_to(folder / "other")
    (folder / "runs/link.txt").symlink_to(folder / "a.txt")
    os.mkfifo(folder / "runs/pipe.txt")
    assert found(folder, "runs/**/*.txt") == ["runs/a.txt", "runs/x/a.txt", "runs/x/y/a.txt"]


def test_searches_are_bounded(folder, monkeypatch):
    monkeypatch.setattr(glob_files, "MOST_MATCHES", 3)
    with pytest.raises(TooManyFilesError, match="more than 3 files fit"):
        found(folder, "**")
    monkeypatch.setattr(glob_files, "MOST_ENTRIES", 5)
    with pytest.raises(TooManyFilesError, match="more than 5 files to look through"):
        found(folder, "**/nothing")
    deep = folder
    for _ in range(glob_files.DEEPEST + 3):
        deep = deep / "d"
        deep.mkdir()
    (deep / "end").write_text("")
    monkeypatch.setattr(glob_files, "MOST_ENTRIES", 1000)
    assert found(folder, "**/end") == []


def test_descriptors_are_given_back(folder):
    before = len([*Path("/proc/self/fd").iterdir()])
    found(folder, "**/a.txt")
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_artefacts_come_by_their_own_names(play):
    source = "import os; os.makedirs('runs/7'); [open(f'runs/7/x.{n}', 'w').write(n) for n in ('one', 'two')]"
    ended = play(source, patterns=("runs/*/x.*",))
    assert (ended.kind, ended.artefacts) == (None, {"runs/7/x.one": b"one", "runs/7/x.two": b"two"})


def test_a_pattern_that_nothing_fits_is_missing(play):
    ended = play("import os; os.symlink('/etc/passwd', 'x.one')", patterns=("x.*",))
    assert (ended.kind, ended.refused, ended.artefacts) == (OutcomeKind.INVALID, {"x.*": "missing"}, {})


def test_hard_links_are_tampering_and_sizes_are_summed(play):
    ended = play("import os; open('a', 'w').write('x'); os.link('a', 'x.one')", patterns=("x.*",))
    assert ended.kind is OutcomeKind.TAMPERED
    ended = play("[open(f'x.{n}', 'w').write('x' * 60) for n in range(2)]", patterns=("x.*",), max_artefact_bytes=100)
    assert ended.refused == {"x.1": "too large: 60 bytes, allowed are 40"}

"""Bytes of the standard library: which files they come from, and that no file serves two purposes."""

import numpy as np
import pytest

from novum.arenas.sequence.tasks import stdlib_bytes
from novum.arenas.sequence.tasks.stdlib_bytes import PARTS, StdlibBytes
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

CACHES = (stdlib_bytes._text, stdlib_bytes._digest, stdlib_bytes._listed)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A made-up library; its files are written with the function that is returned."""
    monkeypatch.setattr(stdlib_bytes, "_folder", lambda: tmp_path)

    def write(files):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        for cache in CACHES:
            cache.cache_clear()

    yield write
    for cache in CACHES:
        cache.cache_clear()


def made_up(count=60, size=9000):
    """Files that say in every byte which they are."""
    return {f"package{one % 7}/module{one}.py": bytes([one]) * size for one in range(count)}


def files_of(task):
    return {name for name, _ in stdlib_bytes._files(task.part, task.scoring, task.most_bytes)}


def test_sequences_are_windows_of_the_library_with_the_next_byte_as_label():
    task = StdlibBytes(length=50)
    text = b"".join(content for _, content in stdlib_bytes._files("search", False, task.most_bytes))
    batch = task.batch(np.random.default_rng(1), 30)
    for tokens, answers in zip(batch.tokens, batch.answers, strict=True):
        assert answers[:-1].tolist() == tokens[1:].tolist()
        assert bytes([tokens[0], *answers]) in text


def test_every_window_is_drawn_equally_often(library):
    library({name: bytes(range(200)) * 50 for name in made_up()})
    task = StdlibBytes(length=8185, most_bytes=1 << 13)  # of which there are seven windows
    starts = task.batch(np.random.default_rng(1), 1400).tokens[:, 0]
    counts = np.bincount(starts, minlength=7)
    assert len(counts) == 7
    assert counts.min() > 200 - 5 * np.sqrt(200)


def test_no_file_is_both_trained_on_and_scored_or_shared_by_two_roles():
    task = StdlibBytes(most_bytes=1 << 26)
    tasks = [task.variant(role) for role in Role]
    parts = [files_of(one) for each in tasks for one in (each, each.held_out())]
    assert len(parts) == 6
    assert all(len(part) > 5 for part in parts)
    assert len(set.union(*parts)) == sum(map(len, parts)) == len(stdlib_bytes._listed())
    for train, scored in zip(parts[::2], parts[1::2], strict=True):
        assert len(train) > len(scored)


def test_each_part_has_its_own_gate_and_final_part():
    for part in PARTS:
        task = StdlibBytes(part=part)
        assert {task.variant(role).part for role in Role} == set(PARTS)
        assert task.variant(Role.SEARCH) is task


def test_no_more_is_read_than_asked_for(library):
    library(made_up(size=20_000))
    task = StdlibBytes(most_bytes=1 << 15)
    assert len(files_of(task)) == 2
    assert len(stdlib_bytes._text("search", False, 1 << 15)) == 1 << 15


def test_the_digest_says_when_a_file_is_another(library):
    files = made_up()
    library(files)
    task = StdlibBytes(most_bytes=1 << 26)
    before = {part: StdlibBytes(part=part, most_bytes=1 << 26).digest for part in PARTS}
    assert len(set(before.values())) == 3
    assert task.digest == task.held_out().digest == before["search"]
    for changed in (sorted(files_of(task))[0], sorted(files_of(task.held_out()))[0]):
        library({changed: b"x" * 9000})
        assert task.digest != before["search"]
        assert StdlibBytes(part="gate", most_bytes=1 << 26).digest == before["gate"]
        library({changed: files[changed]})
        assert task.digest == before["search"]


def test_tests_and_installed_packages_are_left_out(library):
    library(made_up() | {"site-packages/a.py": b"a" * 9000, "test/b.py": b"b" * 9000, "json/tests/c.py": b"c" * 9000})
    names = {name for _, name in stdlib_bytes._listed()}
    assert names == set(made_up())


def test_a_library_without_sources_is_refused(library):
    library({"zipped.txt": b"nothing"})
    with pytest.raises(StudyError, match=r"as \.py files"):
        StdlibBytes().batch(np.random.default_rng(1), 2)


def test_chance_is_the_share_of_the_most_frequent_byte(library):
    library(dict.fromkeys(made_up(), b"aab" * 4000))
    assert StdlibBytes().chance == pytest.approx(2 / 3, abs=1e-3)

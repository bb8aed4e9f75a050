"""A file is copied out of a running sandbox when it is at rest; what a candidate puts in its place does nothing."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

import pytest

from novum.sandbox.checkpoints.checkpoint_watch import INTERVAL_SECONDS, QUIET_SECONDS, CheckpointWatch, largest_copy
from novum.sandbox.job import Bounds, WatchedFile

NAME = "out/state"
SMALL = Bounds(file_bytes=1000)


class Watched:
    """A watch with a clock of its own, and what it has kept."""

    def __init__(self, directory: int, limits: Bounds = SMALL) -> None:
        self.now = 0.0
        self.kept: list[tuple[bytes, float, float]] = []
        self.slow = 0.0
        self.directory = directory
        self.watch = CheckpointWatch(WatchedFile(NAME, self.keep), limits, lambda: self.now)

    def keep(self, *what) -> None:
        self.kept.append(what)
        self.now += self.slow

    def look(self, seconds: float = QUIET_SECONDS) -> int:
        """Pass so much time, look, and tell how many copies there are."""
        self.now += seconds
        self.watch.look(self.directory, self.now / 2, self.now)
        return len(self.kept)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / NAME


@contextmanager
def watching(place, **more):
    directory = os.open(place.parent.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Watched(directory, **more)
    finally:
        os.close(directory)


def test_a_file_at_rest_is_copied_once_with_what_was_used_when_it_was_there(place):
    with watching(place) as it:
        assert it.look() == 0
        place.write_bytes(b"one")
        assert it.look() == 0, "it may be on its way"
        seen = it.now
        assert it.look() == 1
        assert it.kept == [(b"one", seen / 2, seen)]
        assert it.look(60.0) == 1 and it.look() == 1


def test_a_file_that_changes_from_look_to_look_is_left_alone_until_it_rests(place):
    with watching(place) as it:
        for number in range(5):
            place.write_bytes(b"x" * (number + 1))
            assert it.look() == 0
        assert it.look() == 1 and it.kept[0][0] == b"xxxxx"


def test_a_change_is_seen_though_its_time_is_set_back(place):
    with watching(place) as it:
        place.write_bytes(b"one")
        before = place.stat()
        assert [it.look(), it.look()] == [0, 1]
        time.sleep(0.01)
        place.write_bytes(b"two")
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert [it.look(60.0), it.look()] == [1, 2]
        assert it.kept[1][0] == b"two" and it.kept[1][2] > 60.0


def test_copies_are_rare_and_rarer_still_where_they_take_long(place):
    with watching(place) as it:
        for it.slow, seconds in ((1.0, 50.0), (0.0, INTERVAL_SECONDS)):
            began, before = it.now, len(it.kept)
            while it.now < began + 101.0:
                place.write_bytes(str(it.now).encode())
                it.look()
                it.look()
            assert len(it.kept) - before in (100 // seconds - 1, 100 // seconds)


def test_a_file_that_grows_while_it_is_read_is_no_copy(place, monkeypatch):
    from novum.sandbox.checkpoints import checkpoint_watch as module

    whole = module.read_bounded

    def growing(fd, largest):
        found = whole(fd, largest)
        with place.open("ab") as file:
            file.write(b"more")
        return found

    with watching(place) as it:
        place.write_bytes(b"one")
        monkeypatch.setattr(module, "read_bounded", growing)
        assert [it.look() for _ in range(2)] == [0, 0]


def _huge(place):
    with place.open("wb") as file:
        file.truncate(1 << 40)


def _linked_folder(place):
    (place.parent.parent / "elsewhere").mkdir()
    (place.parent.parent / "elsewhere/state").write_bytes(b"secret")
    place.parent.rmdir()
    place.parent.symlink_to("elsewhere")


def _hard_link(place):
    (place.parent / "other").write_bytes(b"x")
    os.link(place.parent / "other", place)


ODD = {
    "a link": lambda place: place.symlink_to("/etc/passwd"),
    "a link to nothing": lambda place: place.symlink_to("nowhere"),
    "a folder that is a link": _linked_folder,
    "a FIFO": os.mkfifo,
    "a folder": lambda place: place.mkdir(),
    "nothing in it": lambda place: place.touch(),
    "a huge file": _huge,
    "a hard link": _hard_link,
    "too large": lambda place: place.write_bytes(b"x" * 1001),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_what_is_no_plain_file_of_a_fair_size_is_passed_over(place, make):
    make(place)
    with watching(place) as it:
        assert [it.look(seconds) for seconds in (1.0, 1.0, 10.0)] == [0, 0, 0]


def test_a_copy_is_small_beside_the_memory_of_its_job():
    assert largest_copy(Bounds(memory_bytes=3200, file_bytes=1000)) == 100
    assert largest_copy(SMALL) == 1000


SOURCE = """
import os, time
os.mkdir("out")
{act}
time.sleep(0.8)
open("out/answer", "w").write("done")
"""
ACTS = {"file": 'open("out/state", "w").write("half")', "FIFO": 'os.mkfifo("out/state")'}


@pytest.mark.parametrize("what", ACTS)
def test_it_works_at_each_tier(play, what):
    kept = []
    file = WatchedFile(NAME, lambda *copy: kept.append(copy))
    ended = play(SOURCE.format(act=ACTS[what]), checkpoint=file, collect=("out/answer",))
    assert ended.kind is None and ended.artefacts["out/answer"] == b"done"
    assert [one[0] for one in kept] == ([b"half"] if what == "file" else [])
    assert all(0.0 <= cpu <= ended.usage.cpu_seconds and 0.0 < wall < ended.usage.wall_seconds for _, cpu, wall in kept)

"""What an agent prints is told while it runs, harmless, and never at the cost of its limits."""

from __future__ import annotations

import itertools
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from novum.agents.output_stream import LINES, TICK_SECONDS, WIDTH, Printed

KEY = "key-of-the-gateway-123"


def told(*parts: bytes, key: str = "") -> list[str]:
    lines: list[str] = []
    with Printed(key, lines.append) as printed:
        for part in parts:
            printed.hear(part)
    return lines


def test_lines_are_told_while_it_runs_and_the_last_one_at_its_end():
    lines: list[str] = []
    with Printed("", lines.append) as printed:
        printed.hear(b"  one\ntw")
        until = time.monotonic() + 5
        while not lines and time.monotonic() < until:
            time.sleep(0.01)
        assert lines == ["  one"]
        printed.hear(b"o\r50 %\r100 %\n\n   \nthr")
    assert lines == ["  one", "two", "50 %", "100 %", "thr"]


@given(st.lists(st.integers(0, 80)))
def test_it_does_not_matter_how_it_is_cut(places):
    data = f"first ä\n\x1b[2Jsecond {KEY}\nthird\u202e \x07\x1b]52;c;bWluZQ==\x07!\nlast".encode()
    cuts = [0, *sorted(place for place in places if place < len(data)), len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(cuts)]
    assert told(*parts, key=KEY) == ["first ä", "second [key]", "third !", "last"]


def test_what_looks_like_a_secret_is_not_told():
    assert "sk-ant" not in "".join(told(b"I found sk-ant-api03-" + b"x" * 40 + b"\n"))


def test_a_flood_costs_little_and_says_what_it_leaves_out():
    lines = told(*[b"line\n" * 50_000] * 8, b"x" * 3_000_000, b"\xff\xfe\n", b"the end")
    assert lines[-1] == "the end" and len(lines) <= 3 * (LINES + 1)
    assert max(map(len, lines)) <= WIDTH
    left_out = sum(int(line.split()[1].replace(",", "")) for line in lines if line.startswith("…"))
    assert left_out + sum(not line.startswith("…") for line in lines) == 400_003


def test_a_terminal_that_is_held_up_holds_up_nobody():
    go_on, reached = threading.Event(), threading.Event()

    def held(line: str) -> None:
        reached.set()
        go_on.wait(30)

    with Printed("", held) as printed:
        printed.hear(b"one\n")
        assert reached.wait(30)
        began = time.thread_time()
        for _ in range(100):
            printed.hear(b"more\n" * 1000)
        assert time.thread_time() - began < 5
        began = time.monotonic()
    assert time.monotonic() - began < 50 * TICK_SECONDS
    go_on.set()

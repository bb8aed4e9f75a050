"""Edits as people write them, patches as tools read them, and merges of two lines of work."""

from __future__ import annotations

import random
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.core.model.errors import StudyError
from novum.source.edits import Change, changes, edited, rewritten
from novum.source.merge import crossed, merge
from novum.source.patch import patch, summary
from novum.source.space import SourceSpace

A = """\
import math

# EVOLVE-BLOCK-START
def one(x):
    a = 1
    b = 2
    return x + a + b


def two(x):
    return math.sqrt(
        x
    )
# EVOLVE-BLOCK-END


def three(x):
    a = 1
    return x
"""
SPACE = SourceSpace({"a.py": A, "data/my notes.txt": "first\nlast"}, creatable=("new",))


def test_blocks_in_a_text_become_changes_of_the_files_they_name():
    text = "Look:\n`a.py`\n<<<<<<< SEARCH\n    b = 2\n=======\n    b = 3\n>>>>>>> REPLACE\nand so on\n"
    wanted = changes(text, ("a.py", "data/my notes.txt"))
    assert wanted == (Change("a.py", "    b = 2\n", "    b = 3\n"),)
    assert edited(SPACE, {}, wanted) == {"a.py": A.replace("b = 2", "b = 3")}
    assert changes(text.replace("`a.py`", ""), ("a.py",)) == wanted
    with pytest.raises(StudyError, match="block 1 does not say its file"):
        changes(text.replace("`a.py`", ""), ("a.py", "data/my notes.txt"))
    with pytest.raises(StudyError, match="no search/replace block"):
        changes("nothing", ("a.py",))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change("a.py", "b = 4", "b = 5"), "`b = 4` does not occur"),
        (Change("a.py", "x", "y"), "occurs"),
        (Change("a.py", "def three(x):", "def three(y):"), "a.py:17: `def three(x):` is outside the EVOLVE-BLOCK"),
        (Change("b.py", "x", "y"), "b.py: not an editable file"),
        (Change("a.py", "", "y"), "an empty search text"),
        (Change("a.py", "    b = 2\n", "    b = (\n"), "not valid Python"),
    ],
)
def test_changes_that_do_not_fit_are_refused(change, says):
    with pytest.raises(StudyError) as refusal:
        edited(SPACE, {}, [change])
    assert says in str(refusal.value)


def test_a_text_that_is_also_outside_is_found_inside():
    assert edited(SPACE, {}, [Change("a.py", "    a = 1\n", "    a = 7\n")])["a.py"].count("a = 7") == 1


def test_files_are_created_and_rewritten_whole():
    genome = edited(SPACE, {}, [Change("new/x.py", "", "x = 1\n"), Change("new/x.py", "x = 1", "x = 2")])
    assert genome == {"new/x.py": "x = 2\n"}
    assert rewritten(SPACE, genome, "new/x.py", "x = 3\r\n") == {"new/x.py": "x = 3\n"}


LINES = st.lists(st.sampled_from(["alpha", "beta", "", "  gamma", "ünï\u2028x", "-- a", "+++ b", "\f"]), max_size=12)


@st.composite
def texts(draw):
    body = draw(st.sampled_from(["\n", "\r\n"])).join(draw(LINES))
    return body + draw(st.sampled_from(["", "\n"]))


@settings(max_examples=25, deadline=None)
@given(old=texts(), new=texts(), extra=texts())
def test_patches_apply_with_git_and_with_patch(tmp_path_factory, old, new, extra):
    space = SourceSpace({"a b/f.txt": old, "g.txt": "same\n"}, creatable=("new",))
    genome = space.validate({"a b/f.txt": new, "new/h.txt": extra})
    want = space.complete(genome)
    diff = patch(space, genome).encode()
    for command in (
        ["git", "apply", "--whitespace=nowarn", "p.diff"],
        ["patch", "--binary", "-s", "-p1", "-i", "p.diff"],
    ):
        if command[0] == "patch" and not want["new/h.txt"]:
            continue  # the format of patch has no empty files
        root = tmp_path_factory.mktemp("tree")
        for path, text in space.base.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode())
        (root / "p.diff").write_bytes(diff)
        subprocess.run(command, cwd=root, check=True, capture_output=True)
        for path, text in want.items():
            there = root / path
            assert (there.read_bytes() if there.exists() else b"") == text.encode(), path


def test_patches_and_summaries_say_what_changed():
    assert patch(SPACE, {}) == ""
    assert summary(SPACE, {}) == "no change"
    genome = {"a.py": A.replace("b = 2", "b = 3"), "data/my notes.txt": "first\nlatest", "new/x.py": "x = 1\ny = 2\n"}
    assert summary(SPACE, genome) == ("a.py: 1 line changed; data/my notes.txt: 1 line changed; new/x.py: new, 2 lines")
    assert "\\ No newline at end of file" in patch(SPACE, genome)
    assert "--- /dev/null\n+++ b/new/x.py\n" in patch(SPACE, genome)


def test_disjoint_changes_are_merged_into_one_program():
    one = {"a.py": A.replace("b = 2", "b = 3")}
    two = {"a.py": A.replace("        x\n", "        x + 1\n"), "data/my notes.txt": "first\nnew last"}
    both = crossed(SPACE, {}, one, two, random.Random(0))
    assert both == {"a.py": two["a.py"].replace("b = 2", "b = 3"), "data/my notes.txt": "first\nnew last"}


def test_conflicts_take_one_side_and_imports_both():
    one = A.replace("b = 2", "b = 3").replace("START\n", "START\nimport json\n")
    two = A.replace("b = 2", "b = 4").replace("START\n", "START\nimport random\n")
    seen = set()
    for seed in range(20):
        text = merge("a.py", A, one, two, random.Random(seed))
        assert "import json\nimport random\n" in text
        assert ("b = 3" in text) != ("b = 4" in text)
        seen.add("b = 3" in text)
    assert seen == {True, False}


def test_a_merge_brings_something_new_or_nothing():
    one = {"a.py": A.replace("b = 2", "b = 3")}
    assert crossed(SPACE, {}, one, one, random.Random(0)) is None
    assert crossed(SPACE, {}, one, {}, random.Random(0)) is None


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 9))
def test_changes_of_different_lines_commute(lines, i, j, seed):
    base = [*lines, "end"]
    i, j = i % len(base), j % len(base)
    one = "\n".join([*base[:i], "ONE", *base[i + 1 :]])
    two = "\n".join([*base[:j], "TWO", *base[j + 1 :]])
    text = merge("x.txt", "\n".join(base), one, two, random.Random(seed))
    assert text == merge("x.txt", "\n".join(base), text, text, random.Random(seed))
    if abs(i - j) > 1 and len(set(base)) == len(base):
        assert "ONE" in text
        assert "TWO" in text


@pytest.mark.parametrize("unit", [
    "<<<<<<< SEARCH\n=====\n", "<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n",
    "a.py\n<<<<<<< SEARCH\nx\n=======\n",
])  # fmt: skip
def test_half_blocks_are_read_in_no_time(unit):
    import time

    for times in (500, 20_000):
        began = time.process_time()
        with pytest.raises(StudyError, match="no search/replace block"):
            changes(unit * times, ["a.py"])
        assert time.process_time() - began < 0.2 * times / 500


def test_a_block_without_its_end_is_none_and_hides_none_before_it():
    half = "<<<<<<< SEARCH\nx\n=======\ny\n"
    assert changes(f"{half}>>>>>>> REPLACE\n{half}", ["a.py"]) == (Change("a.py", "x\n", "y\n"),)
    nested = "<<<<< SEARCH\n<<<<< SEARCH\nx\n=====\n=====\n>>>>> REPLACE"
    assert changes(nested, ["a.py"]) == (Change("a.py", "<<<<< SEARCH\nx\n", "=====\n"),)


def test_what_would_be_applied_too_often_is_refused():
    import time

    block = "<<<<<<< SEARCH\nfirst\n=======\nsecond\n>>>>>>> REPLACE\n"
    with pytest.raises(StudyError, match="more than 200 search/replace blocks"):
        changes(block * 201, ["data/my notes.txt"])
    space = SourceSpace({"a.txt": "a" * 900_000})
    began = time.process_time()
    with pytest.raises(StudyError, match="occurs 100 times or more"):
        edited(space, {}, [Change("a.txt", "a" * 400_000, "b")])
    assert time.process_time() - began < 5


def test_a_program_of_too_many_words_is_refused_before_it_takes_the_memory():
    space = SourceSpace({"a.py": "x = 1\n"})
    with pytest.raises(StudyError, match="names and signs, at most 100000"):
        rewritten(space, {}, "a.py", "x = 1\n" * 150_000)
    assert rewritten(space, {}, "a.py", f"x = {'1' * 3000}\n")


@pytest.mark.parametrize("nothing", ["", " \n\n", "\ufeff\r\n"])
def test_a_file_of_which_nothing_is_left_is_named(nothing):
    space = SourceSpace({"a.py": "x = 1\n", "b/__init__.py": ""}, creatable=("new",))
    with pytest.raises(StudyError, match=r"a\.py: nothing is left in it"):
        space.validate({"a.py": nothing})
    with pytest.raises(StudyError, match=r"a\.py: nothing is left in it"):
        edited(space, {}, [Change("a.py", "x = 1\n", nothing)])
    assert set(space.validate({"b/__init__.py": nothing, "new/__init__.py": nothing})) == {"new/__init__.py"}

"""The space of programs: its normal form, its keys, and what it refuses."""

from __future__ import annotations

import ast
import random

import pytest

from novum.core.model.errors import StudyError
from novum.source.space import MAX_CHARACTERS, SourceSpace

SOLVER = '''"""Doubles."""

import math

# EVOLVE-BLOCK-START
def solve(x, rate=-1):
    """Twice."""
    # a comment
    y = x * 2
    return y + rate
# EVOLVE-BLOCK-END


def judge(x):
    return math.sqrt(x)

# EVOLVE-BLOCK-START
LIMIT = 10
# EVOLVE-BLOCK-END
'''
FREE = "def f(a):\n    return a + 1\n"
SPACE = SourceSpace({"solver.py": SOLVER, "lib/free.py": FREE, "notes.txt": "one\ntwo\n"}, creatable=("lib/new",))


def solver(old: str, new: str) -> dict[str, str]:
    assert old in SOLVER
    return {"solver.py": SOLVER.replace(old, new)}


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"solver.py": SOLVER},
        {"solver.py": SOLVER.replace("\n", "\r\n")},
        {"solver.py": "\ufeff" + SOLVER},
        solver("    # a comment\n", ""),
        solver("y = x * 2", "y = (x *\n        2)"),
        {"notes.txt": "one  \ntwo\n\n"},
    ],
)
def test_the_base_has_one_normal_form_whatever_the_layout(same):
    assert SPACE.validate(same) == {}
    assert SPACE.key(same) == SPACE.key({})


def test_a_changed_file_stays_with_its_full_text_and_line_feeds():
    changed = solver("x * 2", "x * 3")
    assert SPACE.validate({k: v.replace("\n", "\r\n") for k, v in changed.items()}) == changed
    assert SPACE.complete(changed) == {**SPACE.base, **changed}


def test_complete_gives_back_the_line_ends_and_the_mark_of_the_base():
    space = SourceSpace({"a.py": "\ufeffx = 1\r\ny = 2\r\n"})
    assert space.complete({}) == space.base
    assert space.complete({"a.py": "x = 1\ny = 3\n"}) == {"a.py": "\ufeffx = 1\r\ny = 3\r\n"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('    """Twice."""\n', ""),
        ('"""Twice."""', '"""Thrice."""'),
        ("rate=-1", "rate=(-1)"),
        ("    y = x * 2\n", "    y = x * 2  # twice\n    pass\n"),
    ],
)
def test_keys_ignore_what_a_program_does_not_do(old, new):
    assert SPACE.key(solver(old, new)) == SPACE.key({})


@pytest.mark.parametrize(
    ("old", "new"), [("x * 2", "2 * x"), ("rate=-1", "rate=1"), ("= 10", "= 10.0"), ("= 10", "= True")]
)
def test_keys_tell_programs_apart(old, new):
    assert SPACE.key(solver(old, new)) != SPACE.key({})


def test_keys_tell_the_file_that_was_changed():
    space = SourceSpace({"a.py": "x = 1\n", "b.py": "x = 1\n"})
    assert space.key({"a.py": "x = 2\n"}) != space.key({"b.py": "x = 2\n"})


@pytest.mark.parametrize(
    ("genome", "says"),
    [
        ({"other.py": "x = 1\n"}, "other.py: not an editable file"),
        ({"lib/newer.py": "x = 1\n"}, "lib/newer.py: not an editable file"),
        ({"../x.py": ""}, "not a relative path"),
        ({"lib/new/../../x.py": ""}, "not a relative path"),
        ({"solver.py": 3}, "is text, not int"),
        ({"lib/free.py": "def f(:\n"}, "lib/free.py:1: not valid Python"),
        ({"lib/free.py": "x = 1\nreturn x\n"}, "lib/free.py:2: not valid Python"),
        ({"lib/free.py": "x = '\0'\n"}, "lib/free.py:1: a NUL character"),
        ({"lib/free.py": "x = '\ud800'\n"}, "lib/free.py:1: not encodable"),
        ({"notes.txt": "x" * (MAX_CHARACTERS + 1)}, "at most"),
        (solver("math.sqrt(x)", "math.sqrt(2 * x)"), "solver.py:15: changed outside the EVOLVE-BLOCK"),
        (solver("# EVOLVE-BLOCK-END\n\n\n", "\n\n"), "EVOLVE-BLOCK-START inside the block of line 5"),
        ({"solver.py": "x = 1\n"}, "2 EVOLVE-BLOCK parts expected, 0 found"),
        (
            solver("    return y + rate\n", "    return y + undefined\n"),
            "solver.py:10: nothing sets the name",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_file_line_and_advice(genome, says):
    with pytest.raises(StudyError) as refusal:
        SPACE.validate(genome)
    assert says in str(refusal.value)
    assert ": " in str(refusal.value)


def test_a_string_cannot_swallow_a_marker():
    base = "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\ny = 2\n# EVOLVE-BLOCK-START\nz = 3\n# EVOLVE-BLOCK-END\n"
    with pytest.raises(StudyError, match=r"a.py:3: an EVOLVE-BLOCK marker inside a string"):
        SourceSpace({"a.py": base}).validate({"a.py": base.replace("x = 1", 'x = """').replace("z = 3", '"""')})


@pytest.mark.parametrize("text", ["# EVOLVE-BLOCK-END\n", "# EVOLVE-BLOCK-START\nx = 1\n"])
def test_malformed_markers_of_the_base_are_named(text):
    with pytest.raises(StudyError, match=r"a.py:1: EVOLVE-BLOCK-"):
        SourceSpace({"a.py": text})


def test_new_files_appear_only_where_they_may():
    genome = {"lib/new/deep/x.py": "import free\n"}
    assert SPACE.validate(genome) == genome
    assert SPACE.complete(genome)["lib/new/deep/x.py"] == "import free\n"
    with pytest.raises(StudyError, match="not an editable file"):
        SourceSpace(SPACE.base).validate(genome)


def test_blocks_are_found_in_the_comments_of_other_languages():
    space = SourceSpace({"a.cpp": "int a = 1;\n// EVOLVE-BLOCK-START\nint b = 2;\n// EVOLVE-BLOCK-END\n"})
    changed = space.mutate({}, random.Random(1))
    assert changed["a.cpp"].startswith("int a = 1;\n// EVOLVE-BLOCK-START\nint b = ")
    with pytest.raises(StudyError, match="outside"):
        space.validate({"a.cpp": space.base["a.cpp"].replace("a = 1", "a = 3")})


def test_samples_and_mutants_are_normal_forms_of_other_programs():
    seen = set()
    for seed in range(30):
        genome = SPACE.sample(random.Random(seed))
        assert SPACE.validate(genome) == genome
        child = SPACE.mutate(genome, random.Random(seed))
        assert SPACE.key(child) != SPACE.key(genome)
        seen.add(SPACE.key(child))
    assert len(seen) > 15


def test_spaces_of_one_base_are_one():
    assert SourceSpace(dict(reversed(SPACE.base.items())), ("lib/new",)) == SPACE
    assert hash(SPACE) == hash(SourceSpace(dict(SPACE.base), ("lib/new",)))


def test_a_tree_is_never_changed_by_looking_at_it():
    before = ast.dump(ast.parse(SOLVER), include_attributes=True)
    SPACE.sample(random.Random(0))
    assert ast.dump(ast.parse(SPACE.base["solver.py"]), include_attributes=True) == before

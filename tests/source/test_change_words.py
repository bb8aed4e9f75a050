"""A program is said by the values that differ and the lines of code that were changed, bounded in length."""

from __future__ import annotations

from novum.source.change_words import program_changes, program_words
from novum.source.parameters import Parameter
from novum.source.space import SourceSpace

BASE = """import random

LR = 0.01
BATCH = 32


def step(w):
    rate = LR
    w -= rate * w
    return w


def main():
    print(step(1.0), BATCH)
"""
SPACE = SourceSpace(
    {"train.py": BASE},
    creatable=("more",),
    parameters=(
        Parameter("learning rate", "train.py: LR", 0.001, 1.0, True),
        Parameter("BATCH", "train.py: BATCH", choices=(16, 32)),
    ),
)


def _words(text: str, incumbent: str | None = None, length: int = 300) -> str:
    before = {"train.py": incumbent} if incumbent else {}
    return program_words(SPACE, SPACE.validate({"train.py": text}), before, length)


def test_values_are_said_by_their_names_and_code_is_not_mentioned() -> None:
    text = BASE.replace("0.01", "0.003").replace("= 32", "= 16")
    assert _words(text) == "learning rate 0.01→0.003, BATCH 32→16"


def test_code_is_said_by_its_first_changed_line_and_how_many_more_there_are() -> None:
    text = BASE.replace("    w -= rate * w\n", "    w -= 2 * rate * w\n    w *= 0.5\n").replace(
        "step(1.0)", "step(2.0)"
    )
    assert _words(text) == "train.py:9 `w -= 2 * rate * w`, +2 more"
    assert _words(BASE.replace("    rate = LR\n", "    rate = 1\n")) == "train.py:8 `rate = 1`"


def test_values_and_code_are_told_apart_in_one_file() -> None:
    text = BASE.replace("0.01", "0.5").replace("    w -= rate * w\n", "")
    assert _words(text) == "learning rate 0.01→0.5, train.py:9 without `w -= rate * w`"


def test_the_difference_is_that_to_the_incumbent_whether_it_has_the_file_or_not() -> None:
    other = BASE.replace("0.01", "0.003")
    assert _words(BASE.replace("0.01", "0.5"), other) == "learning rate 0.003→0.5"
    assert program_words(SPACE, {}, {"train.py": other}, 300) == "learning rate 0.003→0.01"
    assert program_words(SPACE, {}, {}, 300) == "no difference"


def test_a_value_is_no_change_of_code_however_it_was_written() -> None:
    space = SourceSpace({"a.yaml": "optim:\n  lr: 1e-2  # rate\n  name: sgd\n"})
    assert (
        program_words(space, {"a.yaml": "optim:\n  lr: 0.003  # rate\n  name: sgd\n"}, {}, 60) == "optim.lr 0.01→0.003"
    )


def test_new_files_are_counted() -> None:
    genome = SPACE.validate({"more/a.py": "x = 1\ny = 2\n"})
    assert program_words(SPACE, genome, {}, 300) == "more/a.py new, 2 lines"
    assert program_words(SPACE, {}, genome, 300) == "more/a.py deleted"


def test_no_length_is_exceeded_and_the_count_survives() -> None:
    text = BASE.replace("0.01", "0.5").replace(
        "    w -= rate * w\n", f"    w -= {' + '.join(['rate'] * 60)}\n    w = w\n"
    )
    for length in (30, 60, 120):
        words = _words(text, length=length)
        assert len(words) <= length
        assert words.endswith(", +1 more")


def test_rows_hold_both_sides() -> None:
    rows = program_changes(SPACE, SPACE.validate({"train.py": BASE.replace("0.01", "0.5").replace("1.0)", "3.0)")}), {})
    assert [(one.gene, one.old, one.new) for one in rows] == [
        ("learning rate", "0.01", "0.5"),
        ("train.py:14", "print(step(1.0), BATCH)", "print(step(3.0), BATCH)"),
    ]


def test_thousands_of_changed_lines_are_counted_in_no_time() -> None:
    base = "\n".join(f"x{n} = {n}" for n in range(9000)) + "\n"
    space = SourceSpace({"a.py": base})
    new = "\n".join(f"y{n} = {n}" for n in range(9000)) + "\n"
    assert program_words(space, {"a.py": new}, {}, 60) == "a.py:1 `y0 = 0`, +8999 more"

"""An answer among drafts, prose and half of JSON: the last complete one that fits, in linear time, and true repairs."""

from __future__ import annotations

import json
import time

import labs
import model_servers as models
import programs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.core.model.errors import StudyError
from novum.lab import wiring
from novum.registry import Kind, build
from novum.researchers.language.comment_prompt import comment
from novum.researchers.language.parse_reply import MAX_CHARACTERS, read
from novum.researchers.language.prompt import repair
from novum.researchers.language.reply_forms import BlocksForm, GeneForm
from novum.text.json_in_prose import MOST_DEPTH, MOST_VALUES, find_objects

ARENA = wiring.arena(labs.coin_study())
FORM = GeneForm(ARENA.space, ARENA.space.validate({}))
DRAFT, FINAL = models.coin(metal=1), models.coin(metal=4)


def metal(text: str) -> int:
    return read(text, FORM, ARENA.spec).genome["metal"]


def refused(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        read(text, FORM, ARENA.spec)
    return str(caught.value)


LAST = {
    "a draft first": f"First idea: {DRAFT}\nBetter:\n{FINAL}",
    "drafts in fences": f"```json\n{DRAFT}\n```\nno:\n```json\n{FINAL}\n```\nDone.",
    "forty braces": "{ " * 40 + FINAL,
    "five thousand braces": "{" * 5000 + FINAL,
    "prose in braces": "Let S = {x: x > 0}, T = {a, b}, and {“metal”: 1}. " + FINAL,
    "a draft without a quote": DRAFT.replace('lands heads more often"', "lands heads") + "\nAgain: " + FINAL,
    "a draft that breaks off": DRAFT[: len(DRAFT) // 2] + "... no.\n" + FINAL,
    "a draft that breaks off in a text": DRAFT[: DRAFT.index("lands")] + "\n\n" + FINAL,
    "an echo of the schema": '{"type": "object", "properties": {"genome": {"enum": [0]}}} ' + FINAL,
    "a thought that is no answer": '<think>{"genome": {"metal": 77}}</think>' + FINAL,
    "one after it that does not fit": FINAL + ' Like {"genome": {"metal": 77}}, but better.',
    "an unfinished one after it": FINAL + ' or {"genome": {"metal": 3',
    "within another": json.dumps({"answer": json.loads(FINAL), "confidence": 1}),
    "within a list": f"[{DRAFT}, {FINAL}]",
    "alternatives within it": FINAL[:-1] + f', "alternatives": [{DRAFT}]}}',
    "quotes before it": 'He said "{" and "}". ' + FINAL,
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_complete_answer_that_fits_wins(name):
    assert metal(LAST[name]) == 4


TOLERATED = {
    "a raw line break": FINAL.replace("scripted", "first line\nsecond\tline"),
    "control characters": FINAL.replace("scripted", "a\x00b\x07c\x1f"),
    "carriage returns": FINAL.replace("scripted", "a\r\nb"),
    "trailing commas": FINAL.replace("}}", "},}").replace('"shade": 0}', '"shade": 0,}').replace("0.05}", "0.05,}"),
    "a byte order mark": "\ufeff" + FINAL,
    "odd spaces": FINAL.replace(", ", ",\u00a0\u2003"),
    "escapes that are none": FINAL.replace("scripted", r"\alpha \d+ \u12 \'x\'"),
    "a fence without an end": "```json\n" + FINAL,
    "a sign": FINAL.replace("0.05", "+0.05"),
    "a number without zero": FINAL.replace("0.05", ".05"),
    "words of Python": FINAL[:-1] + ', "sure": True, "why": None, "odd": NaN}',
}


@pytest.mark.parametrize("name", TOLERATED)
def test_a_reader_that_does_not_mind(name):
    said = read(TOLERATED[name], FORM, ARENA.spec)
    assert (said.genome["metal"], said.probability, said.effect) == (4, 0.4, 0.05)


BROKEN = {
    "a missing comma": (
        FINAL.replace('}, "claim"', '} "claim"'),
        "after the value of `genome` a comma or } must stand",
    ),
    "no quotes": ("{genome: {metal: 4}}", "a name in double quotes must stand, but `genome: {metal: 4}}`"),
    "single quotes": ("{'genome': {'metal': 4}}", "a name in double quotes must stand"),
    "no colon": ('{"genome" {"metal": 4}}', "after the name `genome` a colon must stand"),
    "cut in a text": (FINAL[: FINAL.index("lands")], "that must end in a double quote, but the answer ends there"),
    "cut after a value": (FINAL[:-1], "after the value of `effect` a comma or } must stand, but the answer ends"),
    "a word": ('{"genome": yes}', "after `genome` a value must stand, but `yes}`"),
    "another bracket": ('{"genome": [1, 2}', "in a list a comma or ] must stand"),
    "the line": ("Well:\n\n{'genome': 1}", "begins in line 3"),
    "too deep": ('{"genome": ' + "[" * 200, f"at most {MOST_DEPTH} brackets"),
    "too many": ('{"genome": [' + "1," * (MOST_VALUES + 2), f"at most {MOST_VALUES} values"),
    "no object": ("I would try metal 4.", "no JSON object was found"),
    "another object": ('{"metal": 4}', "the answer has no 'genome'"),
    "braces of prose beside another object": ('{a} {"metal": 4} {b: c}', "the answer has no 'genome'"),
    "no such choice": ('{"genome": {"metal": 77}}', "genome.metal: cannot be '77'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_what_is_said(name):
    text, words = BROKEN[name]
    assert words in refused(text)
    assert words[:40] in repair(refused(text))


def test_why_the_last_answer_does_not_fit_is_said_where_none_does():
    assert "gold" in refused('{"genome": {"metal": 77}} then {"genome": {"gold": 1}}')


def test_blocks_with_raw_line_breaks_in_a_text(tmp_path):
    arena = build(Kind.ARENA, "program", programs.options(tmp_path / "p"))
    form = BlocksForm(arena.space, arena.space.validate({}))
    blocks = "solver.py\n<<<<<<< SEARCH\nSTEP = 0.5\n=======\nSTEP = 0.7\n>>>>>>> REPLACE\n"
    said = read('{"edits": "' + blocks + '", "claim": "c", "probability_percent": 30,}', form, arena.spec)
    assert "STEP = 0.7" in said.genome["solver.py"] and said.probability == 0.3
    draft = json.dumps({"edits": [{"file": "solver.py", "search": "STEP = 0.5", "replace": "STEP = 0.6"}]})
    final = draft.replace("0.6", "0.9")
    assert "STEP = 0.9" in read(f"{draft} better: {final}", form, arena.spec).genome["solver.py"]


def test_a_comment_is_the_last_one():
    assert comment('{"comment": "draft"}\n{"comment": "two\nlines"} {"comment": ""} {"comment": null}') == "two lines"
    with pytest.raises(StudyError, match="no comment in words"):
        comment('{"comment": 7}')


HOSTILE = {
    "braces": "{", "quoted": '{"', "nested": '{"genome":', "lists": '{"a":[', "empty": "{}", "escaped": '{"a\\"',
    "complete": '{"genome":{"a":1},', "spaces": "{   ", "words": '{"a":true', "broken": '{"a":"x" ', "comma": '{"a":1,',
    "backslashes": '{"a":"\\q', "deep": '{"a":' * 99 + "}" * 99, "mixed": '{"a":[[1,2,3],[4', "bare": "{aaaaaaaaa",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_the_time_is_linear_whatever_a_reply_holds(name):
    """CPU time, the best of a few tries, so that nothing else on the machine counts."""

    def seconds(size: int) -> float:
        text = HOSTILE[name] * (size // len(HOSTILE[name]))
        began = time.process_time()
        find_objects(text, "genome")
        return time.process_time() - began

    seconds(1000)
    short = min(seconds(10_000) for _ in range(2))
    assert any(seconds(80_000) < 8 * 4 * short + 0.1 for _ in range(5))
    assert short < 0.5 and MAX_CHARACTERS <= 2_000_000


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(before=st.text(st.characters(exclude_characters='"'), max_size=60), value=VALUES, after=st.text(max_size=40))
def test_what_is_json_is_read_as_json_wherever_it_stands(before, value, after):
    found = find_objects(before + json.dumps({"genome": value}) + "\n" + after, "genome")
    assert {"genome": value} in found.objects


@settings(max_examples=200, deadline=None)
@given(st.text('{}[]",:\\ \ntrue01.e-g', max_size=60))
def test_whatever_stands_there_is_found_or_told(text):
    found = find_objects(text, "genome")
    assert isinstance(found.problem, str)
    try:
        value = json.loads(text)
    except ValueError:
        return
    assert not isinstance(value, dict) or found.others + len(found.objects) >= 1

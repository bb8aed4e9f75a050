"""Scores in files that candidates leave: what counts, what is no score, and that no file from before a run is one."""

from __future__ import annotations

import json
import time

import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.arenas.program import trial as worker
from novum.arenas.program.arena import REPORTED, ProgramArena
from novum.arenas.program.artefact import Artefact, unpack
from novum.arenas.program.bundle import unpacked
from novum.arenas.program.manifest import Report, parse_program, table
from novum.arenas.program.reported_score import reported_values, said_of
from novum.arenas.program.score_in_file import LARGEST, columns, score_in_file
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError, Limits, OutcomeKind, Trial, TrialGroup
from novum.sandbox import Tier, sandbox_status
from novum.source.protected import Protection

CSV = b"epoch,train_loss, val_loss\n1,0.5,0.9\n2,0.4,\n3,0.3,0.7\n4,0.2,0.8\n"
ROWS = b'{"step": 1, "val": {"loss": 3}}\nnot json\n{"step": 2}\n{"val": {"loss": 2.5}, "x": null}\n'
GOOD = [
    ("r.json", b'{"val_loss": 1.2, "n": 3}', "val_loss", "last", 1.2),
    ("r.json", b'{"val": {"loss": [3, 1, 2]}}', "val.loss", "last", 2.0),
    ("r.json", b'{"val": {"loss": [3, 1, 2]}}', "val.loss", "min", 1.0),
    ("r.json", b'{"val.loss": 4}', "val.loss", "last", 4.0),
    ("r.json", b'[{"loss": 4}, {"loss": 6}, {}]', "loss", "mean", 5.0),
    ("r.json", b'{"acc": "0.93"}', "acc", "last", 0.93),
    ("out/m.csv", CSV, "val_loss", "last", 0.8),
    ("out/m.csv", CSV, "val_loss", "min", 0.7),
    ("out/m.csv", CSV, "val_loss", "max", 0.9),
    ("m.csv", b"\xef\xbb\xbfloss;acc\r\n1;0.5\r\n2;0.6\r\n", "loss", "mean", 1.5),
    ("m.tsv", b"a,b\tacc\n1\t0.25\n", "acc", "last", 0.25),
    ("l.jsonl", ROWS, "val.loss", "last", 2.5),
    ("l.ndjson", ROWS, "val.loss", "max", 3.0),
    ("score.txt", b'{"acc": 1}', "acc", "last", 1.0),
]
BAD = [
    ("r.json", b'{"acc": NaN}', "acc", "r.json has nan under 'acc', which is no finite number"),
    ("r.json", b'{"acc": [1, Infinity]}', "acc", "has inf under 'acc'"),
    ("r.json", b'{"acc": true}', "acc", "has True under 'acc'"),
    ("r.json", b'{"acc": "high"}', "acc", "has high under 'acc'"),
    ("r.json", b'{"acc": null}', "acc", "r.json has no number under 'acc', only nothing"),
    ("r.json", b'{"loss": 1, "b": {"c": 2}}', "acc", "has no number under 'acc', only 'loss', 'b.c'"),
    ("r.json", b"{", "acc", "r.json is not JSON"),
    ("r.json", b"\xff\xfe\x00", "acc", "r.json is not JSON"),
    ("r.json", b"3", "acc", "r.json holds no JSON object"),
    ("m.csv", b"", "acc", "has no number under 'acc', only nothing"),
    ("m.csv", b"acc\n", "acc", "has no number under 'acc'"),
    ("m.csv", b"acc\nn/a\n", "acc", "has n/a under 'acc'"),
    ("m.csv", b"acc\n" + b"x" * 200_000, "acc", "m.csv is no table"),
    ("m.csv", b" " * (LARGEST + 1), "acc", "at most 16777216 are read"),
]


@pytest.mark.parametrize(("path", "data", "key", "take", "value"), GOOD)
def test_the_number_that_counts(path, data, key, take, value):
    assert score_in_file(Report(file=path, key=key, take=take), data) == pytest.approx(value)


@pytest.mark.parametrize(("path", "data", "key", "words"), BAD)
def test_what_is_no_score_is_said(path, data, key, words):
    with pytest.raises(ArtefactError) as said:
        score_in_file(Report(file=path, key=key), data)
    assert words in str(said.value) and said.value.kind is OutcomeKind.INVALID


@pytest.mark.parametrize("take", ["min", "max", "mean"])
def test_a_run_that_diverged_on_the_way_has_no_best_row(take):
    with pytest.raises(ArtefactError, match="has nan"):
        score_in_file(Report(file="m.csv", key="loss", take=take), b"loss\n1\nnan\n2\n")
    assert score_in_file(Report(file="m.csv", key="loss"), b"loss\n1\nnan\n2\n") == 2


@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.jsonl", "a.csv", "a.tsv", "a"]))
def test_any_bytes_are_a_score_or_an_outcome(data, path):
    try:
        found = columns(path, data)
    except ArtefactError:
        return
    for key, values in found.items():
        try:
            score = score_in_file(Report(file=path, key=key), data)
        except ArtefactError:
            continue
        assert score == values[-1]


def test_hostile_files_take_little_time():
    began = time.process_time()
    nested = b"[" * 500 + b"]" * 500
    wide = b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b"1\n" * 100_000
    long_key = json.dumps({"k" * 100_000: dict.fromkeys(map(str, range(50_000)), 1)}).encode()
    for path, data in {"n.json": nested, "w.csv": wide, "k.json": long_key}.items():
        with pytest.raises(ArtefactError):
            score_in_file(Report(file=path, key="loss"), data)
    assert time.process_time() - began < 3


REPORT = {"prepare": None, "visible": None, "truth": None, "score": None, "metrics": None, "outputs": None}
MAIN = """import json, sys, time
from solver import solve
json.dump({"loss": solve(int(sys.argv[1])), "size": 7, "took": time.time()}, open("results.json", "w"))
"""
BY_FILE = {"file": "results.json", "key": "loss"}


def program(**changes):
    return parse_program({key: value for key, value in {**programs.TABLE, **REPORT, **changes}.items() if value})


def test_of_a_file_that_is_no_output_only_its_numbers_are_kept():
    further = program(report=BY_FILE, metrics=[{"name": "size"}])
    first, second = (
        said_of(further, "", {"results.json": b'{"loss": 1.5, "size": 2, "took": %d}' % took}) for took in (3, 4)
    )
    assert first == second
    assert reported_values(further, Artefact({}, said=first)) == {"value": 1.5, "size": 2.0}
    with pytest.raises(ArtefactError, match=r"results\.json is missing"):
        said_of(further, "", {})
    with pytest.raises(ArtefactError, match=r"nothing is recorded of results\.json"):
        reported_values(further, Artefact({}))


def test_an_output_with_the_score_is_kept_whole_and_read_in_the_lab():
    whole = program(report=BY_FILE, outputs=[{"name": "results.json"}])
    data = {"results.json": b'{"loss": 1.5, "took": 3}'}
    assert said_of(whole, "", data) == ""
    assert reported_values(whole, Artefact(data)) == {"value": 1.5}


def test_tables_without_the_new_keys_are_the_same_as_ever():
    old = program(report={"pattern": "loss (.)"}, protect={"functions": ["main.py: solve"]})
    assert table(old)["report"] == {"file": "", "key": "", "pattern": "loss (.)"}
    assert table(old)["protect"] == {"functions": ["main.py: solve"], "names": [], "idle": {}}
    new = program(report={**BY_FILE, "take": "min"}, protect={"calls": ["writerow"]})
    assert parse_program(table(new)) == new and new.protect == Protection(calls=("writerow",))


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"file": "a.json"}, "either a pattern or both file and key"),
        ({**BY_FILE, "pattern": "(.)"}, "either a pattern or both file and key"),
        ({**BY_FILE, "file": "../a.json"}, "no plain relative path"),
        ({**BY_FILE, "file": "a.pkl"}, "runs code"),
    ],
)
def test_a_wrong_report_names_what_is_wrong(report, words):
    with pytest.raises(StudyError, match=words):
        program(report=report)


def ended(arena: ProgramArena, body: str):
    """Score or the way a trial ended, with its artefact."""
    text = f"import os\n\n\ndef solve(seed):\n    {body}\n"
    candidate = Candidate(arena.space.validate({"solver.py": text}))
    group = TrialGroup("g", candidate, (Trial("g.0", 1),), arena.options, limits=Limits(seconds=10.0))
    (output,) = worker.run(group)
    assert output.artefact is not None, output.cause
    try:
        return arena.score(group, group.trials[0], output.artefact), unpack(output.artefact)
    except ArtefactError as error:
        return (error.kind, str(error)), unpack(output.artefact)


@pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
def test_trials_are_scored_by_the_file_that_they_write_themselves(tmp_path):
    stale = {"main.py": MAIN, "results.json": '{"loss": 0.25}'}
    command = ["python", "main.py", "{seed}", "results.json"]
    arena = ProgramArena(programs.options(tmp_path, stale, **REPORT | {"command": command, "report": BY_FILE}))
    assert arena.spec.trust == REPORTED
    assert "results.json" not in unpacked(arena.options["bundle"]).shown
    score, left = ended(arena, "return 2.5")
    assert score.value == 2.5 and left.outputs == {}
    assert ended(arena, "return float('nan')")[0][0] is OutcomeKind.INVALID
    (kind, cause), _ = ended(arena, "os._exit(0)")
    assert kind is OutcomeKind.INVALID and "results.json is missing" in cause
    link = "os.symlink('main.py', 'results.json.new'); os.rename('results.json.new', 'results.json'); os._exit(0)"
    assert ended(arena, link)[0][0] is OutcomeKind.TAMPERED


@pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
def test_a_score_that_a_candidate_brings_along_is_none(tmp_path):
    changes = {"report": BY_FILE, "editable": ["solver.py", "results.json"], "outputs": [{"name": "results.json"}]}
    files = {"main.py": MAIN, "results.json": '{"loss": 0.25}'}
    arena = ProgramArena(programs.options(tmp_path, files, **{**REPORT, **changes}))
    assert "results.json" in arena.space.base
    (kind, cause), _ = ended(arena, "os._exit(0)")
    assert kind is OutcomeKind.INVALID and "results.json is missing" in cause

"""`novum scale` from a study file to a verdict, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from novum.cli.printing.json_schema import json_schema
from novum.cli.printing.scaling_tables import is_known

STUDY = """name = "small"
arena = "sequence"

[options]
tasks = "markov_chain(vocabulary=8, order=1, length=32)"
metric = "loss"
batch = 2
"""
SMALLEST = ["--flop=3e9", "--sizes=3", "--budgets=2", "--span=3", "--repeats=1", "--width=3"]
SMALLEST += ["--tokens-per-parameter=9", "--rate=0.01", "--rate=0.03", "--rate=0.1"]


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(STUDY)
    return path


@pytest.mark.slow
def test_a_study_is_trained_predicted_judged_and_verified_through_the_shell(study, novum):
    ran = [sys.executable, "-m", "novum.cli", "scale", str(study), *SMALLEST]
    first = subprocess.Popen(ran, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    record = study.parent / "labs" / "small-scale" / "scale.jsonl"
    while not record.exists() or record.read_bytes().count(b"\n") < 2:
        time.sleep(0.05)
        assert first.poll() is None, first.communicate()
    os.kill(first.pid, signal.SIGINT)
    out, err = first.communicate()
    assert first.returncode == 130 and out == "" and "the same command goes on from there" in err
    before = record.read_bytes()
    done = subprocess.run([*ran, "--json"], capture_output=True, text=True, check=True)
    assert record.read_bytes().startswith(before)
    value = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json_schema("scale")).validate(value)
    assert len(value["cells"]) == value["cells_planned"] and value["entropy"] > 0
    assert all(cell["loss"] > 0.9 * value["entropy"] for cell in value["cells"])
    again = novum("scale", "--verify", record.parent, "--plot", "loss.svg")
    assert again.status == 0 and value["digest"] in again.out and "held out" in again.out
    assert (study.parent / "loss.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give either --flop"),
        (["--flop", "1e12", "--budget", "cpu 5m"], "give either --flop"),
        (["--budget", "5m"], "give CPU time alone"),
        (["--budget", "cpu 5m, 20 trials"], "give CPU time alone"),
        (["--flop", "1e3"], "would do"),
        (["--flop", "nan"], "finite number above zero"),
        (["--flop", "1e12", "--genome", "colour=red"], "with a gene of layer_1"),
        (["--flop", "1e12", "--compare", "layer_1=magic"], "layer_1 is one of own"),
        (["--flop", "1e12", "--compare", "layer_1=own"], "changes nothing"),
        (["--flop", "1e12", "--rate", "0.1"], "at least 3 different learning rates"),
        (["--flop", "1e12", "--held-out", "2"], "4 to 10 times"),
        (["--flop", "1e12", "--plot", "loss.pdf"], "written as .svg or .png"),
        (["--flop", "1e12", "--verify", "."], "give no study and no budget"),
    ],
)
def test_what_cannot_be_scaled_is_refused_in_one_line(words, said, study, refused):
    assert said in refused("scale", study, *words)
    assert not list(study.parent.glob("labs/*/*.jsonl"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('metric = "loss"', 'metric = "accuracy"', "a scaling law is one of the loss"),
        ('length=32)"', 'length=32) + random_walk"', "2 tasks have a law each"),
        ("batch = 2", "batch = 2\nstretch = 2", "options.stretch"),
        ('arena = "sequence"', 'arena = "coinflip"', "its arena is 'coinflip'"),
    ],
)
def test_a_study_that_has_no_scaling_law_is_refused(old, new, said, study, refused):
    study.write_text(STUDY.replace(old, new))
    assert said in refused("scale", study, "--flop", "1e12")


def test_a_broken_or_missing_record_is_refused_in_one_line(study, novum, refused):
    assert "there is no such record" in refused("scale", "--verify", study.parent)
    (study.parent / "scale.jsonl").write_text('{"kind":"plan"}\n')
    for words in (["--verify", study.parent], [study, "--flop", "1e12", "--out", study.parent]):
        told = novum("scale", *words)
        assert told.status == 1 and told.err.count("\n") == 1 and "start anew with another --out" in told.err


def test_numbers_that_nobody_should_use_are_not_shown():
    assert is_known(2.0, 1.9, 2.1)
    assert not is_known(2.0, 0.5, 3.0)
    assert not is_known(2.0, 1.9, None)
    assert not is_known(2.0, None, 2.1)

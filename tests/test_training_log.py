"""`novum.log`: lines of JSON that the arena reads, whatever a script hands over, and never an exception."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest

import novum
from novum import training_log
from novum.arenas.program.log_module import with_log
from novum.arenas.program.score_in_file import columns


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.setenv("NOVUM_LOG", str(tmp_path / "said.jsonl"))
    monkeypatch.setattr(training_log, "_file", "")
    monkeypatch.setattr(training_log, "_warned", set())
    return lambda: (tmp_path / "said.jsonl").read_bytes()


def test_each_call_is_a_line_at_once(lines):
    novum.log(loss=0.5, step=1)
    assert json.loads(lines()) == {"loss": 0.5, "step": 1}
    novum.log({"val/loss": np.float32(0.25), "val": {"acc": np.array([0.5])}}, step=np.int64(2))
    assert [json.loads(one) for one in lines().splitlines()][1] == {"val/loss": 0.25, "val.acc": 0.5, "step": 2}


def test_what_is_logged_is_what_the_arena_reads(lines):
    novum.log({"loss": math.nan, "other": -math.inf})
    novum.log({"loss": 0.1 + 0.2})
    found = columns("said.jsonl", lines())
    assert math.isnan(found["loss"][0])
    assert (found["loss"][1], found["other"]) == (0.1 + 0.2, [-math.inf])


def test_a_bad_value_is_left_out_and_said_once(lines, capsys):
    class Broken:
        def __float__(self):
            raise RuntimeError("no gradient")

    for _ in range(3):
        novum.log(loss=1.0, name="resnet", broken=Broken())
    assert lines() == b'{"loss": 1.0}\n' * 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "'name' is no number" in said[0]
    assert "no gradient" in said[1]


def test_a_place_that_cannot_be_written_ends_no_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NOVUM_LOG", str(tmp_path / "missing" / "said.jsonl"))
    monkeypatch.setattr(training_log, "_file", "")
    monkeypatch.setattr(training_log, "_warned", set())
    novum.log(loss=1.0)
    novum.log(7)
    assert "nothing was written: FileNotFoundError" in capsys.readouterr().err


def test_a_script_may_change_its_directory(tmp_path):
    text = "import os, novum\nnovum.log(a=1)\nos.mkdir('x'); os.chdir('x')\nnovum.log(a=2)\n"
    subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
    assert columns("novum.jsonl", (tmp_path / "novum.jsonl").read_bytes()) == {"a": [1.0, 2.0]}


def test_importing_novum_loads_no_other_module_of_it_and_no_typing():
    text = "import sys; before = set(sys.modules); import novum; print(*(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()
    assert set(found) <= {"novum", "novum.version", "__future__", "importlib", "importlib._bootstrap", "warnings",
                          "importlib._bootstrap_external"}  # fmt: skip


def test_a_program_that_imports_novum_finds_it_beside_its_script():
    files = {"sub/train.py": b"import novum\nnovum.log(a=1)\n"}
    made = with_log(files, ("python", "sub/train.py"))
    assert set(made) == {"sub/train.py", "sub/novum.py"}
    assert b"def log(" in made["sub/novum.py"]
    own = {**files, "sub/novum.py": b"log = print\n"}
    assert with_log(own, ("python", "sub/train.py")) == own
    assert with_log(files, ("python", "sub/train.py"), ("novum",)) == files
    assert with_log({"a.py": b"import novumerical\n"}, ("python", "a.py")) == {"a.py": b"import novumerical\n"}

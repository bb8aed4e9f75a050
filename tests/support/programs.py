"""A small program study for tests: guess a number; runs in a sandbox in a few hundredths of a second."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from novum.arenas.program.bundle import Bundle, read_directory
from novum.arenas.program.manifest import parse_program

SOLVER = '''"""Comes near to a hidden number."""

import random

STEP = 0.5
ROUNDS = 3


def solve(seed):
    rng = random.Random(seed)
    best = 0.0
    for _ in range(ROUNDS):
        best = best + STEP * rng.random()
    return best
'''
MAIN = """
import json, sys
from solver import solve
json.dump(solve(int(sys.argv[1])), open("answer.json", "w"))
"""
PREPARE = """
import json, random, sys
json.dump(3.0 + 0.1 * random.Random(int(sys.argv[1])).random(), open("target.json", "w"))
json.dump("start", open("hint.json", "w"))
"""
SCORE = """
import json
said, target = json.load(open("answer.json")), json.load(open("target.json"))
json.dump({"value": -abs(said - target), "size": abs(said)}, open("score.json", "w"))
"""
TABLE = {
    "metric": "closeness",
    "resolution": 0.01,
    "ceiling": 0.0,
    "editable": ["solver.py"],
    "command": ["python", "main.py", "{seed}"],
    "outputs": [{"name": "answer.json"}],
    "prepare": ["python", "prepare.py", "{seed}"],
    "visible": ["hint.json"],
    "truth": ["target.json"],
    "score": ["python", "score.py"],
    "metrics": [{"name": "size", "resolution": 0.01}],
}

STUDY = """
name = "guess"
question = "What comes nearest?"

[program]
metric = "closeness"
resolution = 0.01
ceiling = 0.0
editable = ["solver.py"]
command = ["python", "main.py", "{seed}"]
outputs = [{ name = "answer.json" }]
prepare = ["python", "prepare.py", "{seed}"]
visible = ["hint.json"]
truth = ["target.json"]
score = ["python", "score.py"]
metrics = [{ name = "size", resolution = 0.01 }]
compute = "free"

[limits]
seconds = 10.0
"""


def write_program(directory: Path, files=()) -> Path:
    """The files of the study in a directory; `files` replace or join them."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {"solver.py": SOLVER, "main.py": MAIN, "prepare.py": PREPARE, "score.py": SCORE, **dict(files)}
    for name, text in texts.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def bundle(directory: Path, files=(), **changes) -> Bundle:
    table = {key: value for key, value in {**TABLE, **changes}.items() if value is not None}
    return read_directory(write_program(directory, files), parse_program(table), "guess")[0]


def options(directory: Path, files=(), **changes) -> dict[str, str]:
    return {"bundle": bundle(directory, files, **changes).packed()}


@cache
def guessing():
    """The options of the small program, which need no directory."""
    with tempfile.TemporaryDirectory() as place:
        return options(Path(place))

"""Values that files declare: which are found, where, and what a file is with others."""

from __future__ import annotations

import json
import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from novum.core.model.errors import StudyError
from novum.source.declared.declarations import declared, set_declared

ARGPARSE = """\
import argparse
OPTIMIZERS = {"sgd": 1, "adam": 2}
parser = argparse.ArgumentParser()
parser.add_argument("-l", "--learning-rate", type=float, default=1, help="step size")
parser.add_argument("--width", type=int, default=2 ** 9)
parser.add_argument("--optim", default='adam', choices=sorted(OPTIMIZERS))
parser.add_argument("--data", default="mnist.npz")
parser.add_argument("--bias", action="store_true", default=False)
parser.add_argument("--wandb", action="store_true")
parser.add_argument("--beta", dest="momentum", default=0.9, type=float)
parser.add_argument("depth", nargs="?", default=-1)
"""
CLICK = """\
import click
@click.command()
@click.option("--lr", "-l", "rate", default=3e-4, help="rate")
@click.option("--act", default="relu", type=click.Choice(["relu", "gelu"]))
@click.option("--bias/--no-bias", default=True)
def main(rate, act, bias):
    pass
"""
TYPER = """\
import typer
from typing import Annotated, Literal
app = typer.Typer()
@app.command()
def main(lr: float = typer.Option(3e-4, help="rate"), epochs: Annotated[int, typer.Option(help="passes")] = 10,
         act: Literal["relu", "gelu"] = "relu", *, drop: float = 0):
    pass
def helper(lr=5.0):
    pass
"""
FIELDS = '''\
from dataclasses import dataclass, field
from pydantic import BaseModel, Field
@dataclass(frozen=True)
class Model:
    lr: float = 1
    """The step size."""
    layers: int = 12  # of the decoder
    act: Literal["relu", "gelu"] = "relu"
    path: str = "data"
    wd: float = field(default=0.1, metadata={"help": "decay"})
class Inner(BaseModel):
    drop: float = Field(0.2, description="dropout")
class TrainConfig:
    lr = 2.0
    class Sub:
        Config = 1
class Other:
    lr = 3.0
'''
CONSTANTS = """\
LR = 3e-4
lr: float = 1
n, p = 0, 1_000
p += 1
iter_num = 0
best = 1e9
for i in range(3):
    best = 2
config = {"wd": 1e-1, "optim": {"beta": .9}, "list": [1, 2]}
other = dict(drop=-0.5)
__version__ = 3
name = "x"
shared = 5
big = 60 * 60 * 24 << 1
def work():
    global shared
    shared = 6
    hidden = 3
def main():
    epochs = 10
    total = 0
    total += 1
    cfg.lr = 0.5
if __name__ == "__main__":
    steps = 100
"""


def values(text, path="a.py"):
    return {one.place: one.value for one in declared(text, path)}


def test_arguments_of_argparse():
    assert values(ARGPARSE) == {
        "OPTIMIZERS.sgd": 1, "OPTIMIZERS.adam": 2, "--learning-rate": 1.0, "--width": 512, "--optim": "adam",
        "--bias": False, "--beta": 0.9, "depth": -1,
    }  # fmt: skip
    found = {one.place: one for one in declared(ARGPARSE, "a.py")}
    assert isinstance(found["--learning-rate"].value, float)
    assert found["--learning-rate"].name == "learning_rate"
    assert found["--learning-rate"].doc == "step size"
    assert found["--beta"].name == "momentum"
    assert found["--optim"].choices == ("adam", "sgd")[::-1]
    assert found["--width"].how == "argument"
    assert found["--width"].line == 5


def test_options_of_click_and_typer():
    assert values(CLICK) == {"--lr": 3e-4, "--act": "relu", "--bias": True}
    assert [one.name for one in declared(CLICK, "a.py")] == ["rate", "act", "bias"]
    assert declared(CLICK, "a.py")[1].choices == ("relu", "gelu")
    assert values(TYPER) == {"main(lr)": 3e-4, "main(epochs)": 10, "main(act)": "relu", "main(drop)": 0.0}
    assert [one.doc for one in declared(TYPER, "a.py")][:2] == ["rate", "passes"]
    assert values("import typer\ndef go(lr=0.1): pass\ntyper.run(go)") == {"go(lr)": 0.1}


def test_fields_of_classes_that_hold_settings():
    assert values(FIELDS) == {
        "Model.lr": 1.0, "Model.layers": 12, "Model.act": "relu", "Model.wd": 0.1, "Inner.drop": 0.2,
        "TrainConfig.lr": 2.0,
    }  # fmt: skip
    docs = {one.place: one.doc for one in declared(FIELDS, "a.py")}
    assert docs["Model.lr"] == "The step size."
    assert docs["Model.layers"] == "of the decoder"
    assert docs["Model.wd"] == "decay"
    assert docs["Inner.drop"] == "dropout"


def test_constants_are_assigned_once():
    assert values(CONSTANTS) == {
        "LR": 3e-4, "lr": 1.0, "n": 0, "config.wd": 0.1, "config.optim.beta": 0.9, "other.drop": -0.5,
        "iter_num": 0, "big": 172800, "main: epochs": 10, "main: cfg.lr": 0.5, "__main__: steps": 100,
    }  # fmt: skip
    assert {one.how for one in declared(CONSTANTS, "a.py")} == {"constant", "key", "field"}


def test_objects_are_made_with_settings():
    text = "o = optim.Adam(p, lr=1e-3, fused=True)\nm = SVC(C=2.0, random_state=1)\nf(lr=2)\nraise KeyError(lr=3)\n"
    assert values(text) == {"Adam(lr)": 1e-3, "SVC(C)": 2.0}
    assert values("c = dict(lr=Adam(lr=1.0))") == {"Adam(lr)": 1.0}
    assert values("c = Namespace(lr=0.1)") == {"c.lr": 0.1}


def test_equal_labels_are_numbered():
    text = "a.add_argument('--lr', default=1.0)\nb.add_argument('--lr', default=2.0)\n"
    assert values(text) == {"--lr": 1.0, "--lr#2": 2.0}


YAML = """\
# settings
defaults:
  - base
optim:
  _target_: torch.optim.Adam
  lr: 6e-4  # rate
  name: "adam"
  betas: [0.9, 0.95]
model: {layers: 12, bias: yes, act: 'gelu'}
wd: &wd 0.1
again: *wd
lr:
  value: 1.0e-3
text: hello
none: null
date: 2024-01-02
when: 12:30:45
schedule: cosine
twice: 1
twice: 2
"""
TOML = '''\
lr = 3e-4  # rate
note = """
lr = 5
"""
[optim]
name.act = 'gelu'
"beta" = 0.9
on = true
list = [
  1,
]
[[many]]
lr = 1
[optim.deep]
steps = 1_000
'''
JSON = '{"lr": 3e-4, "optim": {"act": "gelu", "on": true, "n": [1, {"x": 1}], "b": -2}, "data": "x", "lr2": null}'


def test_keys_of_yaml():
    assert values(YAML, "a.yaml") == {
        "optim.lr": 6e-4, "model.layers": 12, "model.bias": True, "model.act": "gelu", "wd": 0.1,
        "lr.value": 1e-3, "schedule": "cosine", "twice": 2,
    }  # fmt: skip
    found = {one.place: one for one in declared(YAML, "a.yaml")}
    assert found["optim.lr"].doc == "rate"
    assert found["lr.value"].name == "lr"


def test_keys_of_toml_and_json():
    assert values(TOML, "a.toml") == {
        "lr": 3e-4, "optim.name.act": "gelu", "optim.beta": 0.9, "optim.on": True, "optim.deep.steps": 1000,
    }  # fmt: skip
    assert declared(TOML, "a.toml")[0].doc == "rate"
    assert values(JSON, "a.json") == {"lr": 3e-4, "optim.act": "gelu", "optim.on": True, "optim.b": -2}


@pytest.mark.parametrize("path", ["a.py", "a.yaml", "a.toml", "a.json", "a.txt"])
@pytest.mark.parametrize("text", ["lr = = 3 {", "\x00", "{", "", "[[[[", "a: b: c", "\ufefflr = 3 \r x"])
def test_what_does_not_parse_declares_nothing(path, text):
    assert declared(text, path) == ()


def test_values_are_written_in_the_way_of_the_file():
    python = "LR = 3e-4 # x\nbias = True\nact = 'relu'\nn = (2 ** 9)\n"
    changed = set_declared(python, "a.py", {"LR": 1, "bias": False, "act": "it's", "n": 64.0})
    assert changed == "LR = 1.0 # x\nbias = False\nact = 'it\\'s'\nn = (64)\n"
    changed = set_declared(YAML, "a.yaml", {"optim.lr": 1e-5, "model.bias": False, "wd": 3, "schedule": "no"})
    assert "lr: 1.0e-05  # rate" in changed
    assert "bias: no," in changed
    assert "wd: &wd 3.0\n" in changed
    assert 'schedule: "no"' in changed
    assert set_declared(JSON, "a.json", {"optim.on": False}) == JSON.replace("true", "false")
    assert set_declared(TOML, "a.toml", {"optim.on": False}) == TOML.replace("true", "false")


def test_what_does_not_fit_is_refused():
    with pytest.raises(StudyError, match="declares no value at 'x'"):
        set_declared("a = 1\n", "a.py", {"x": 2})
    for value in (2.5, True, "x", float("nan")):
        with pytest.raises(StudyError, match="a is of type int"):
            set_declared("a = 1\n", "a.py", {"a": value})


FILES = [(ARGPARSE, "a.py"), (CLICK, "a.py"), (TYPER, "a.py"), (FIELDS, "a.py"), (CONSTANTS, "a.py"),
         (CONSTANTS.replace("\n", "\r\n"), "a.py"), ("s = 'ä'; lr = 3 # ü\n", "a.py"), (YAML, "a.yaml"),
         (YAML.replace("\n", "\r\n"), "a.yml"), (TOML, "a.toml"), (TOML.replace("\n", "\r\n"), "a.toml"),
         ("\ufeff" + JSON, "a.json"), (JSON, "a.json")]  # fmt: skip
PARSERS = {"yaml": yaml.safe_load, "json": json.loads, "toml": tomllib.loads}


def drawn(data, one):
    if isinstance(one.value, bool):
        return data.draw(st.booleans())
    if isinstance(one.value, int):
        return data.draw(st.integers(-(10**9), 10**9))
    if isinstance(one.value, float):
        return float(f"{data.draw(st.floats(-1e12, 1e12)):.6g}")
    return data.draw(st.sampled_from(["adam", "no", "a b", "it's", 'a"b', "12", "x\\", "tänzer"]))


@pytest.mark.parametrize(("text", "path"), FILES)
@given(data=st.data())
def test_other_values_are_found_and_all_else_stays(text, path, data):
    found = declared(text, path)
    wanted = {one.place: drawn(data, one) for one in found if data.draw(st.booleans())}
    changed = set_declared(text, path, wanted)
    after = declared(changed, path)
    assert {one.place: one.value for one in after} == {one.place: one.value for one in found} | wanted
    assert [(one.place, one.doc, one.line) for one in after] == [(one.place, one.doc, one.line) for one in found]
    assert set_declared(changed, path, wanted) == changed
    assert around(changed, after) == around(text, found)
    if (parse := PARSERS.get(path.rpartition(".")[2])) is not None:
        parse(changed.removeprefix("\ufeff"))


def around(text, found):
    edges = [0, *(edge for one in found for edge in (one.start, one.end)), len(text)]
    return [text[edges[i] : edges[i + 1]] for i in range(0, len(edges), 2)]


@pytest.mark.parametrize(("text", "path"), FILES)
def test_its_own_values_change_nothing(text, path):
    assert found_again(text, path) == text


def found_again(text, path):
    return set_declared(text, path, {one.place: one.value for one in declared(text, path)})


@given(st.text("abc:=[]{}\"'\n #.1e-_\r&*!", max_size=60), st.sampled_from(["py", "yaml", "toml", "json"]))
def test_any_text_is_read(text, ending):
    for one in declared(text, f"a.{ending}"):
        assert text[one.start : one.end].strip()

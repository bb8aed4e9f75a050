"""Which code a campaign is held to: that of its arena's program, and what the arena says it depends on."""

from __future__ import annotations

import dataclasses
import hashlib
import sys

import pytest
from labs import coin_study

from novum.arenas import coinflip
from novum.core.model.budget import Budget
from novum.core.model.errors import LabMismatch, StudyError
from novum.lab import arena_code
from novum.lab.arena_code import code_hash
from novum.lab.session import session
from novum.text.canonical_json import digest
from novum.version import __version__


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A package with a package inside, and a module beside it."""
    (tmp_path / "herd" / "deep").mkdir(parents=True)
    for name in ("herd/__init__.py", "herd/layers.py", "herd/deep/__init__.py", "herd/deep/core.py", "loner.py"):
        (tmp_path / name).write_text(f"# {name}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "herd"]:
        del sys.modules[name]


def depending(*names):
    return dataclasses.replace(coinflip.SPEC, depends=names)


def test_without_depends_the_hash_is_that_of_earlier_versions():
    folder = coinflip.__spec__.origin.rpartition("/")[0]
    files = [f"{folder}/{name}" for name in ("__init__.py", "coinflip.py")]
    sums = []
    for name in files:
        with open(name, "rb") as file:  # noqa: PTH123
            sums.append([name.rpartition("/")[2], hashlib.sha256(file.read()).hexdigest()])
    assert code_hash(coinflip.SPEC) == digest(sums)


@pytest.mark.parametrize("changed", ["herd/layers.py", "herd/deep/core.py", "loner.py"])
def test_a_change_in_what_an_arena_depends_on_is_a_change_of_its_code(shared, changed):
    before = code_hash(depending("herd", "loner"))
    (shared / changed).write_text("changed = True\n")
    assert code_hash(depending("herd", "loner")) != before
    assert code_hash(depending("loner", "herd")) == code_hash(depending("herd", "loner"))


def test_only_the_named_module_counts_and_its_neighbours_do_not(shared):
    before = code_hash(depending("herd.layers"))
    (shared / "herd/deep/core.py").write_text("changed = True\n")
    assert code_hash(depending("herd.layers")) == before != code_hash(depending("herd"))


@pytest.mark.parametrize("name", ["nowhere", "herd.nothing", "nowhere.at.all"])
def test_code_that_is_not_there_is_named(shared, name):
    with pytest.raises(StudyError, match=f"'{name}' cannot be found"):
        code_hash(depending(name))


def test_a_lab_whose_code_has_changed_says_which_version_opened_it_and_what_to_do(tmp_path, monkeypatch):
    with session(coin_study(), Budget(trials=20), tmp_path):
        pass
    monkeypatch.setattr(arena_code, "_sha256", lambda file: "00")
    with pytest.raises(LabMismatch) as refused, session(coin_study(), Budget(trials=20), tmp_path):
        pass
    assert f"was opened (by novum {__version__}" in str(refused.value)
    assert "go back to that code to finish it, or choose another --lab DIR" in str(refused.value)

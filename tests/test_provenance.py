"""What a session records about where it ran."""

from __future__ import annotations

import subprocess

import pytest
from labs import coin_study

from novum import read_lab
from novum.arenas.coinflip import CoinflipArena
from novum.arenas.digits.arena import DigitsArena
from novum.core.model.budget import Budget
from novum.lab import provenance as prov
from novum.lab.session import session
from novum.ledger.memory_blobs import MemoryBlobs
from novum.ledger.novum_code import code_hash


@pytest.fixture
def found():
    return prov.provenance(CoinflipArena(), MemoryBlobs(), "none")


def test_a_session_knows_code_system_processor_threads_and_packages(found):
    assert len(found.novum_code) == 64
    assert "Python" in found.python
    assert found.cores > 0
    assert set(found.threads) == set(prov.THREADS)
    assert found.packages["numpy"]
    assert found.isolation == "none"


def test_data_files_are_named_by_their_hash():
    held = prov.provenance(DigitsArena(), MemoryBlobs(), "none").data
    assert len(held["digits.csv"]) == 64


def test_uncommitted_changes_are_kept_beside_the_commit(tmp_path, monkeypatch):
    package = tmp_path / "novum"
    package.mkdir()
    (package / "__init__.py").write_text("old = 1\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    monkeypatch.setattr(prov, "PACKAGE", package)
    blobs = MemoryBlobs()
    clean = prov.provenance(CoinflipArena(), blobs, "none")
    assert len(clean.git_commit) == 40
    assert clean.git_changes == ""
    (package / "__init__.py").write_text("new = 2\n")
    dirty = prov.provenance(CoinflipArena(), blobs, "none")
    assert b"+new = 2" in blobs.get(dirty.git_changes.removeprefix("sha256:"))


def test_an_installed_package_has_no_commit(tmp_path, monkeypatch):
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(prov, "PACKAGE", tmp_path)
    found = prov.provenance(CoinflipArena(), MemoryBlobs(), "none")
    assert (found.git_commit, found.git_changes) == ("", "")


def test_it_is_in_the_ledger_of_a_lab(tmp_path):
    with session(coin_study(), Budget(trials=30), tmp_path) as lab:
        lab.run()
    kept = read_lab(tmp_path).provenance
    assert kept.isolation.startswith("none")
    assert kept.novum_code == code_hash()

"""Tests that run by themselves are marked alone: they measure time or use both cores. The secrets of labs."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from novum.ledger import lab_secret

MARK = "mark.alone"
"""How the text of a module says that tests of it run by themselves."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Only modules with such tests are imported when nothing else is asked for: importing all takes half a minute."""
    if config.getoption("markexpr") != "alone" or collection_path.suffix != ".py":
        return None
    return MARK not in collection_path.read_text() or None


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


@pytest.fixture
def novum(monkeypatch, capsys):
    """The command line, as its entry point runs it."""
    from novum.cli.app import main

    def run(*words) -> Said:
        monkeypatch.setattr(sys, "argv", ["novum", *map(str, words)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        told = capsys.readouterr()
        return Said(status, told.out, told.err)

    return run


@pytest.fixture
def refused(novum):
    """What is wrong with a command, in the one line that it ends in."""

    def run(*words) -> str:
        said = novum(*words)
        assert said.status == 2, said
        assert said.out == ""
        assert said.err.startswith("novum: ") and said.err.count("\n") == 1, said.err
        return said.err

    return run


@pytest.fixture(scope="session", autouse=True)
def repeatable(tmp_path_factory):
    """Every lab a test makes has the secret that its place gives it, so that a campaign goes the same way each time."""
    base, created = tmp_path_factory.getbasetemp(), lab_secret.created

    def made(path: Path, content: bytes) -> bool:
        if path.is_relative_to(base):
            test, *places = path.relative_to(base).parts
            content = hashlib.sha256("/".join([test.rstrip("0123456789"), *places]).encode()).hexdigest().encode()
        return created(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_secret, "created", made)
        yield


@pytest.fixture
def with_gpus(monkeypatch, tmp_path_factory):
    """Let this machine have so many GPUs: a harmless device stands in for the node of each."""
    from novum.core.model.hardware import Gpu, GpuKind
    from novum.sandbox.gpus import found_gpus, gpu_locks

    folder = tmp_path_factory.mktemp("gpu-locks")

    def have(count: int) -> None:
        names = [f"GPU-{number}" for number in range(count)]
        gpus = tuple(Gpu(name, "a made-up GPU", GpuKind.NVIDIA, ("/dev/full",), visible=name) for name in names)
        found_gpus.gpus_here.cache_clear()
        monkeypatch.setattr(found_gpus, "find_gpus", lambda: found_gpus.FoundGpus(gpus, "1.2.3"))

    monkeypatch.setattr(gpu_locks, "lock_folder", lambda: folder)
    yield have
    found_gpus.gpus_here.cache_clear()

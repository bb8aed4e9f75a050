from __future__ import annotations

import subprocess

import pytest


@pytest.fixture
def inside(novum, monkeypatch):
    """The command line without a process of its own, for what does not need one; told as of a process."""

    def run(*words, cwd=None) -> subprocess.CompletedProcess:
        if cwd:
            monkeypatch.chdir(cwd)
        said = novum(*words)
        return subprocess.CompletedProcess(words, said.status, said.out, said.err)

    return run

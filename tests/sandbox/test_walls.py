"""The filter as the kernel sees it, the probe, and what it says."""

import json
from dataclasses import replace

import pytest
from targets import SMALL

from novum.core.model.errors import UserError
from novum.sandbox import Job, SandboxStatus, SandboxUnavailable, Tier, probe, require, run, sandbox_status
from novum.sandbox.run_job import run_in_bubblewrap
from novum.sandbox.seccomp_filters import UnknownArchitecture, assemble, refused_calls

CALL_ALL = """
import ctypes, json, os, sys
c = ctypes.CDLL(None, use_errno=True)
answers = {}
for name, pair in json.loads(sys.stdin.read()).items():
    number = pair[os.uname().machine != "x86_64"]
    if number >= 0:
        result = c.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
        answers[name] = ctypes.get_errno() if result == -1 else 0
print(json.dumps(answers))
"""


@pytest.mark.parametrize("strict", [False, True])
def test_every_refused_call_is_refused(obstacles, strict):
    tier = Tier.LANDLOCK if strict else Tier.NAMESPACES
    if obstacles[tier]:
        pytest.skip(obstacles[tier])
    calls = {name: pair for name, (pair, _) in refused_calls(strict).items()}
    ended = run(Job(("python", "-c", CALL_ALL), stdin=json.dumps(calls).encode(), limits=SMALL), tier)
    answers = json.loads(ended.stdout)
    assert len(answers) > 50
    assert {name: answer for name, answer in answers.items() if answer != refused_calls(strict)[name][1]} == {}


def test_a_filter_for_each_architecture():
    for machine in ("x86_64", "aarch64"):
        for strict in (False, True):
            program = assemble(strict, machine)
            assert len(program) % 8 == 0
            assert len(program) // 8 < 4096
    with pytest.raises(UnknownArchitecture, match="no seccomp filter for vax"):
        assemble(machine="vax")


def test_standing_is_plain_data():
    data = sandbox_status().as_data()
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {"tier", "tool", "gaps", "advice", "limits"}
    assert data["tier"] in set(Tier)


def test_standing_never_claims_more_than_was_run(monkeypatch):
    monkeypatch.setattr(probe, "tools", lambda: ())
    probe._working_tool.cache_clear()
    probe.sandbox_status.cache_clear()
    try:
        found = sandbox_status()
        assert found.tier is not Tier.NAMESPACES
        assert "bubblewrap" in found.advice
        with pytest.raises(SandboxUnavailable, match="no bubblewrap"):
            run(Job(("python", "-c", "pass")), Tier.NAMESPACES)
        monkeypatch.setattr(probe, "run_in_landlock", _no_landlock)
        probe.sandbox_status.cache_clear()
        assert sandbox_status().tier is Tier.NONE
        assert "no Landlock" in sandbox_status().advice
    finally:
        probe._working_tool.cache_clear()
        probe.sandbox_status.cache_clear()


def _no_landlock(job):
    raise SandboxUnavailable("this kernel has no Landlock")


def test_other_systems_are_told(monkeypatch):
    monkeypatch.setattr(probe.sys, "platform", "darwin")
    probe.sandbox_status.cache_clear()
    try:
        assert sandbox_status() == SandboxStatus(Tier.NONE, "", ("everything: there is no sandbox",), probe._NOT_LINUX)
    finally:
        monkeypatch.undo()
        probe.sandbox_status.cache_clear()


def test_the_order_of_tiers():
    assert Tier.NAMESPACES.at_least(Tier.LANDLOCK) and Tier.LANDLOCK.at_least(Tier.NONE)
    assert not Tier.LANDLOCK.at_least(Tier.NAMESPACES)
    require(Tier.NAMESPACES, Tier.LANDLOCK)
    with pytest.raises(UserError, match="needs a sandbox of tier landlock or stronger"):
        require(Tier.NONE, Tier.LANDLOCK)


def test_a_child_init_that_cannot_start_is_no_outcome_of_the_candidate(namespaces, monkeypatch):
    monkeypatch.setattr("novum.sandbox.tiers.bubblewrap.PYTHON", ("/bin/false",))
    with pytest.raises(SandboxUnavailable, match="could not be entered"):
        run(Job(("python", "-c", "pass"), limits=SMALL), namespaces)


def test_a_work_directory_that_child_init_passes(namespaces):
    """The way for those who may not look into another process."""
    tool = replace(probe.bubblewrap_tool(), passes_directory=True)
    job = Job(("python", "-c", "open('x', 'w').write('ok')"), collect=("x",), limits=SMALL)
    assert run_in_bubblewrap(job, tool).artefacts == {"x": b"ok"}


def test_limits_that_cannot_be_set_are_no_outcome_of_the_candidate(namespaces, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("no")

    monkeypatch.setattr("novum.sandbox.supervise.confine", refuse)
    with pytest.raises(SandboxUnavailable, match="could not be given its limits"):
        run(Job(("python", "-c", "open('x', 'w')"), collect=("x",), limits=SMALL), namespaces)

"""Who dials in may lie, shout, or say nothing: the lab goes on, believes nobody twice, and finds out who made it up."""

from __future__ import annotations

import contextlib
import pickle
import time

import pytest
from dialled_in import door, until
from raw_machine import RawMachine, announcing, connected, honest

from novum.core.model.candidate import Candidate
from novum.core.model.hardware import Machine
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput, Usage
from novum.executors.local.frames import pack
from novum.executors.remote import hub, rechecks
from novum.executors.remote.messages import PROTOCOL, Hello, pack_ran
from novum.executors.remote.remote_executor import RemoteExecutor
from novum.ledger.novum_code import code_hash

USAGE = Usage(0.01, 0.01, 1)


def group(name, seed=7):
    return TrialGroup(name, Candidate({"act": "echo"}), (Trial(f"{name}.0", seed),))


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "HELLO_SECONDS", 1.0)
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 30.0)
    opened = door(tmp_path)
    with RemoteExecutor("novum.testing.fault_injection", 1, door=opened) as executor:
        executor.token, executor.made = opened.credentials.token, []
        yield executor
        for one in executor.made:
            one.close()


def joined(lab, name, answer=None, **more):
    before = len(lab.machines)
    lab.made.append(RawMachine(lab.address, lab.token, name, answer, **more))
    until(lambda: len(lab.machines) > before)
    return lab.made[-1]


def results(lab, count, seconds=10.0):
    found, end = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found += lab.collect(0.2)
    return found


def said(fence, outputs):
    return pack_ran(fence, outputs, USAGE)


def test_an_outcome_that_is_sent_twice_counts_once(lab):
    joined(lab, "twice", lambda fence, one: [said(fence, honest(one))] * 3)
    for number in range(20):
        lab.submit(group(f"g{number}", number))
    found = results(lab, 20)
    assert sorted(one.group.id for one in found) == sorted(f"g{number}" for number in range(20))
    assert list(lab.collect(0.3)) == []


def test_a_fence_of_somebody_else_or_of_nobody_ends_nothing(lab):
    held = []
    joined(lab, "slow", lambda fence, one: held.append(fence) or ([said(fence, honest(one))] if fence < 0 else []))
    lab.submit(group("g1"))
    until(lambda: any(fence > 0 for fence in held))
    thief = joined(lab, "thief")
    for fence in (held[-1], held[-1] + 1, 0, 10**15):
        thief.send(said(fence, [TrialOutput("g1.0", b"forged")]))
    assert list(lab.collect(0.5)) == []
    lab.made[0].send(said(held[-1], honest(group("g1"))))
    assert [one.outputs[0].artefact for one in results(lab, 1)] == [honest(group("g1"))[0].artefact]


class Bomb:
    def __reduce__(self):
        return (print, ("the lab has unpickled this",))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda fence, one: [pack({"say": "ran", "fence": fence, "usage": [1, 1, 1]})], "no outputs"),
        (lambda fence, one: [said(fence, [])], "0 outputs for 1 trials"),
        (lambda fence, one: [said(fence, [TrialOutput("other", b"x")])], "expected an output for trial"),
        (lambda fence, one: [said(fence, [TrialOutput(one.trials[0].id, None, OutcomeKind.SCORED)])], "cannot know"),
        (lambda fence, one: [said(fence, [TrialOutput(one.trials[0].id, None, OutcomeKind.TAMPERED)])], "cannot know"),
        (
            lambda fence, one: [pack({"say": "ran", "fence": fence, "outputs": [[]]}, pickle.dumps(Bomb()))],
            "missing or unknown fields",
        ),
    ],
)
def test_nonsense_is_an_invalid_outcome_and_nothing_is_unpickled(lab, answer, words, capfd):
    joined(lab, "mad", lambda fence, one: [said(fence, honest(one))] if fence < 0 else answer(fence, one))
    lab.submit(group("g1"))
    (found,) = results(lab, 1)
    assert found.outputs[0].failure is OutcomeKind.INVALID
    assert words in found.outputs[0].cause
    assert 0.0 <= found.usage.wall_seconds < 10.0
    assert "unpickled" not in capfd.readouterr().out


def test_times_that_cannot_be_are_cut_to_what_the_lab_has_seen(lab):
    usage = Usage(1e9, 1e9, 1 << 60)
    joined(lab, "boaster", lambda fence, one: [pack_ran(fence, honest(one), usage)])
    lab.submit(group("g1"))
    (found,) = results(lab, 1)
    assert found.usage.wall_seconds < 10.0
    assert found.usage.cpu_seconds < 640.0


@pytest.mark.parametrize(
    "shout",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 5_000,
        announcing(1 << 20, 1 << 30),
        announcing(100, 1 << 62),
        pack({"say": "hello"}),
        pack({"say": "hello", "secret": ["x"], "protocol": 1, "code": "", "version": "", "machine": {}}),
        pack({"say": "ran", "fence": 1, "outputs": []}),
    ],
)
def test_strangers_are_sent_away_and_the_lab_goes_on(lab, shout):
    stranger = connected(lab.address)
    stranger.settimeout(5.0)
    stranger.sendall(shout or b"\n")
    with contextlib.suppress(OSError):
        assert b"welcome" not in stranger.recv(1 << 16)
    stranger.close()
    assert not lab.machines
    joined(lab, "after")
    lab.submit(group("g1"))
    assert len(results(lab, 1)) == 1


def test_many_who_say_nothing_do_not_keep_a_machine_out_for_long(lab):
    silent = [connected(lab.address) for _ in range(hub.STRANGERS + 8)]
    time.sleep(1.5)
    joined(lab, "patient")
    for one in silent:
        one.close()


def test_a_machine_that_says_too_much_of_itself_is_refused(lab):
    loud = Machine("x" * 5_000, 1)
    hello = Hello(lab.token.secret, PROTOCOL, code_hash(), "0", loud).packed()
    lab.made.append(RawMachine(lab.address, lab.token, "loud", hello=hello))
    lab.made[-1].thread.join(5.0)
    assert lab.made[-1].heard == []
    assert not lab.machines


def test_outputs_that_were_made_up_are_found_by_running_them_elsewhere(lab, monkeypatch):
    """Each group is run again on another machine; two honest ones agree against the one that made its outputs up."""
    monkeypatch.setattr(rechecks.secrets, "randbelow", lambda _: 0)

    def forged(fence, one):
        return [said(fence, honest(one) if fence < 0 else [TrialOutput(t.id, b"x" * 16) for t in one.trials])]

    liar = joined(lab, "liar", forged)
    for name in ("honest-1", "honest-2"):
        joined(lab, name)
    assert len({one.kind for one in lab.machines.values()}) == 1
    found, shown = [], []
    for number in range(30):
        lab.submit(group(f"g{number}", number))
        found += results(lab, 1)
        shown += lab.rechecks()
        if any(one.blamed for one in shown):
            break
    assert {one.blamed for one in shown} <= {"", "liar"}
    assert [one for one in shown if one.blamed == "liar"]
    until(lambda: "liar" not in lab.machines)
    assert "did not come out the same" in lab.why_gone("liar")
    until(lambda: any(one.get("say") == "leave" for one in liar.heard))
    lab.made.append(RawMachine(lab.address, lab.token, "liar", forged))
    until(lambda: any(one.get("say") == "refused" for one in lab.made[-1].heard))
    assert len({one.group.id for one in found}) == len(found)


def test_honest_machines_are_blamed_for_nothing(lab, monkeypatch):
    monkeypatch.setattr(rechecks.secrets, "randbelow", lambda _: 0)
    for name in ("a", "b"):
        joined(lab, name)
    for number in range(10):
        lab.submit(group(f"g{number}", number))
    assert len(results(lab, 10)) == 10
    shown = []
    until(lambda: shown.extend(lab.rechecks()) or len(shown) == 10)
    assert all(one.same and not one.blamed and one.machine != one.by for one in shown)

"""One adversarial test for each limit that the docstrings call covered."""

import json
import os
import time
from dataclasses import replace

import pytest

from novum.core.engine.context import LOOK_SECONDS
from novum.core.model.trial import Limits, OutcomeKind, Usage
from novum.executors.local.executor import LocalExecutor
from novum.executors.local.frames import Report, judge, pack

SMALL = Limits(seconds=10.0, memory_bytes=200 << 20, processes=8, file_bytes=1 << 20)


@pytest.fixture
def outcome(executor, make, finish):
    def run_act(act, limits=SMALL, **genes):
        result, after = sorted(finish(executor, make(act, limits, **genes), make("echo")), key=lambda one: one.group.id)
        assert all(one.failure is None for one in after.outputs), "the server does not work on"
        assert len({(one.failure, one.cause) for one in result.outputs}) == 1
        return result.outputs[0].failure, result.outputs[0].cause, result.usage

    return run_act


@pytest.mark.alone
def test_wall_time(outcome):
    before = time.monotonic()
    kind, cause, usage = outcome("hang", replace(SMALL, seconds=0.5))
    assert (kind, cause) == (
        OutcomeKind.TIMED_OUT,
        "ran longer than 0.5 s (limits.seconds)\n--- last output ---\nhanging",
    )
    assert 0.5 <= usage.wall_seconds < 3
    assert time.monotonic() - before < 10


def test_cpu_time(outcome):
    kind, cause, usage = outcome("burn")
    assert kind is OutcomeKind.TIMED_OUT
    assert "of CPU time" in cause
    assert 0.9 < usage.cpu_seconds < 2.0


@pytest.mark.alone
def test_cpu_time_of_all_processes_is_counted(outcome):
    kind, _, usage = outcome("spin", replace(SMALL, seconds=0.6))
    assert kind is OutcomeKind.TIMED_OUT
    assert usage.cpu_seconds > 0.3  # shared machine: two spinning processes get at least this much of two cores


def test_cpu_time_of_the_whole_tree_is_bounded(outcome):
    kind, cause, usage = outcome("spin", replace(SMALL, cpu_seconds=0.6))
    assert kind is OutcomeKind.TIMED_OUT
    assert "allowed are 0.6 (cpu_seconds)" in cause
    assert 0.6 < usage.cpu_seconds < 0.6 + LOOK_SECONDS


def test_memory_of_one_process(outcome):
    kind, cause, usage = outcome("memory")
    assert kind is OutcomeKind.OUT_OF_MEMORY
    by_the_kernel = f"more than {200 << 20} bytes (limits.memory_bytes): MemoryError"
    assert cause == by_the_kernel or cause.endswith(f"bytes in 1 processes, allowed are {200 << 20}")
    assert 150 << 20 < usage.peak_bytes < 260 << 20


def test_memory_of_the_whole_tree(outcome):
    kind, cause, usage = outcome("memory_tree", total=400 << 20)
    assert kind is OutcomeKind.OUT_OF_MEMORY
    assert "bytes in 4 processes" in cause
    assert usage.wall_seconds < 20


def test_a_tree_within_the_memory_limit_is_left_alone(outcome):
    kind, _, _ = outcome("memory_tree", replace(SMALL, seconds=1.0), total=100 << 20)
    assert kind is OutcomeKind.TIMED_OUT


def test_number_of_processes(outcome):
    kind, cause, usage = outcome("fork_bomb_mild")
    assert kind is OutcomeKind.CRASHED
    assert "allowed are 8 (limits.processes)" in cause
    assert usage.wall_seconds < 20


def test_file_size(outcome, tmp_path):
    target = tmp_path / "big"
    kind, cause, _ = outcome("big_file", file=str(target))
    assert kind is OutcomeKind.CRASHED
    assert cause.startswith(f"wrote a file larger than {1 << 20} bytes (limits.file_bytes): OSError")
    assert target.stat().st_size <= 1 << 20


def test_a_flood_of_output(outcome):
    kind, cause, _ = outcome("flood")
    assert kind is OutcomeKind.CRASHED
    assert cause.startswith("ValueError: hoarse\n--- last output ---\nxxx")
    assert len(cause) < 2100


def test_output_is_cleaned_and_shown(outcome):
    _, cause, _ = outcome("shout")
    assert cause.startswith("ValueError: boom\n--- last output ---\nred bell\nTraceback")
    assert "\x1b" not in cause


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("exit_silently", "ended without a result (exit status 0)"),
        ("segfault", "killed by SIGSEGV"),
        ("exit_loudly", "SystemExit: 3"),
    ],
)
def test_deaths(outcome, act, words):
    kind, cause, usage = outcome(act)
    assert kind is OutcomeKind.CRASHED
    assert words in cause
    assert usage.cpu_seconds > 0


def test_a_kill_from_outside_says_nothing_of_the_candidate(outcome):
    kind, cause, _ = outcome("killed")
    assert kind is OutcomeKind.LOST
    assert "not by Novum" in cause


def test_an_endless_answer(outcome):
    kind, cause, _ = outcome("huge_garbage")
    assert kind is OutcomeKind.INVALID
    assert "its answer is larger than" in cause


def test_a_program_that_returns_twice_answers_once(outcome):
    assert outcome("twice")[0] is None


ENTRY = {
    "trial_id": "g0/0",
    "bytes": 1,
    "failure": None,
    "cause": "",
    "facts": {},
    "curve": [],
    "remarks": "",
    "resumed": [0.0, 0.0],
}
OTHER = {**ENTRY, "trial_id": "g0/1"}


def forged(*entries: object, body: bytes = b"xy") -> bytes:
    return pack({"outputs": list(entries)}, body)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"no frame at all, just text", "a frame announces"),
        (b"\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00{", "cut short"),
        (b"\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00{]", "not JSON"),
        (b"\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00[]", "not a JSON object"),
        (b"\x00\x0f\x00\x00" + bytes(8) + b"[" * 0xF0000, "not JSON"),
        (b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n.", "a frame announces"),
        (forged(ENTRY, OTHER) + b"!", "1 bytes follow"),
        (forged(ENTRY, OTHER, body=b"xyz"), "1 bytes belong to no output"),
        (forged(ENTRY, {**OTHER, "bytes": 7}), "impossible size"),
        (forged(ENTRY, {**OTHER, "bytes": True}), "impossible size"),
        (forged(ENTRY, {**OTHER, "bytes": -1}), "impossible size"),
        (forged(ENTRY, {**OTHER, "score": 1.0}), "unknown fields"),
        (forged(ENTRY), "belong to no output"),
        (forged(ENTRY, body=b"x"), "1 outputs for 2 trials"),
        (forged(ENTRY, ENTRY), "expected an output for trial g0/1"),
        (forged(ENTRY, {**OTHER, "failure": "diverged"}), "either an artefact or a failure"),
        (forged(ENTRY, {**OTHER, "bytes": None, "failure": "scored"}, body=b"x"), "which it cannot know"),
        (forged(ENTRY, {**OTHER, "bytes": None, "failure": "lost"}, body=b"x"), "which it cannot know"),
        (forged(ENTRY, {**OTHER, "bytes": None, "failure": "won"}, body=b"x"), "not a kind"),
        (forged(ENTRY, {**OTHER, "facts": {"loss": "0.1"}}), "not a finite number"),
        (forged(ENTRY, {**OTHER, "facts": {"loss": 10**400}}), "not a finite number"),
        (forged(ENTRY, {**OTHER, "facts": {"\n": 1}}), "short printable"),
        (forged(ENTRY, {**OTHER, "facts": [1]}), "not a mapping"),
        (forged(ENTRY, {**OTHER, "curve": [[0.1, "2"]]}), "not a finite number"),
        (forged(ENTRY, {**OTHER, "curve": [[0.1]]}), "not a time and a value"),
        (forged(ENTRY, {**OTHER, "curve": [[0.1, 0.2]] * 99}), "at most 48 readings"),
        (forged(ENTRY, {**OTHER, "resumed": [-1.0, 0.0]}), "below zero"),
        (forged(ENTRY, {**OTHER, "resumed": [0.0, -1e-9]}), "below zero"),
        (forged(ENTRY, {**OTHER, "resumed": [1.0]}), "not a pair"),
        (forged(ENTRY, {**OTHER, "resumed": "12"}), "not a pair"),
        (forged(ENTRY, {**OTHER, "resumed": [1.0, 10**400]}), "not a finite number"),
        (forged(ENTRY, {**OTHER, "resumed": [1.0, None]}), "not a finite number"),
        (pack({"outputs": "all"}), "other fields"),
        (pack({"ended": "timed_out", "cause": ""}), "cannot know"),
        (pack({"ended": ["crashed"], "cause": ""}), "cannot know"),
        (forged(ENTRY, json.loads('{"trial_id": NaN}')), "not JSON"),
    ],
)  # fmt: skip
def test_a_forged_answer_is_invalid(answer, words, make):
    # The group of a fresh `make` is g0 with two trials, like the forged entries.
    outputs = judge(Report(None, "", "", Usage(), answer), make("echo"))
    assert [one.failure for one in outputs] == [OutcomeKind.INVALID, OutcomeKind.INVALID]
    assert words in outputs[0].cause


def test_a_forged_answer_travels_as_bytes(outcome):
    kind, cause, _ = outcome("garbage_frame", hex=b"\x80\x04junk that is no frame".hex())
    assert kind is OutcomeKind.INVALID
    assert "the worker's answer is not valid" in cause


def test_a_hostile_cause_is_made_printable(make):
    answer = pack({"ended": "crashed", "cause": "\x1b[2J\x1b]0;title\x07\ud800 a\u202eb" + "x" * 9000})
    cause = judge(Report(None, "", "", Usage(), answer), make("echo"))[0].cause
    assert cause.startswith(" ab" + "x" * 100)
    assert len(cause) == 4000


def test_a_daemon_does_not_survive_its_group(outcome, tmp_path):
    note = tmp_path / "daemon"
    assert outcome("daemon", file=str(note))[0] is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_secrets_and_descriptors_do_not_reach_the_child(make, finish, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("LAB_PASSWORD", "very-secret")
    with (tmp_path / "lab.key").open("w") as held, LocalExecutor("novum.testing.fault_injection", 1) as executor:
        os.set_inheritable(held.fileno(), True)
        seen = finish(executor, make("look", trials=1))[0].outputs[0].artefact.decode()
    assert "very-secret" not in seen
    assert "OMP_NUM_THREADS" in seen
    descriptors = dict(line.split("=", 1) for line in seen.splitlines() if line[0].isdigit())
    assert sorted(map(int, descriptors)) == [0, 1, 2, 3]
    assert descriptors["0"] == "/dev/null"
    assert all(descriptors[number].startswith("pipe:") for number in "123")


def test_files_that_warm_left_open_are_not_shared(make, finish, monkeypatch, tmp_path):
    (tmp_path / "leaky.py").write_text(
        "from pathlib import Path\nfrom novum.testing.fault_injection import run\nheld = Path(__file__).open()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with LocalExecutor("leaky", 1) as executor:
        seen = finish(executor, make("look", trials=1))[0].outputs[0].artefact.decode()
    assert "leaky.py" not in seen

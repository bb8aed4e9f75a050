"""The commands that search and export, as their users meet them: real processes, real files."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from labs import sealed

from novum.ledger.journal import Journal, Reader, is_held


def start(*arguments, **options):
    command = [sys.executable, "-m", "novum.cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def novum(*arguments, **options):
    child = start(*arguments, **options)
    out, err = child.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, child.returncode, out, err)


def lines(shown):
    assert shown.returncode == 0, shown.stderr
    return [json.loads(line) for line in shown.stdout.splitlines()]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    directory = sealed(tmp_path_factory.mktemp("home") / "labs" / "coins")
    shown = novum("run", "coinflip", "--budget", "700 trials", "--lab", directory, "--json", "--force")
    assert shown.returncode == 0, shown.stderr
    return directory


def test_the_log_is_the_ledger_in_words_and_in_json(lab):
    with Reader(lab) as reader:
        records = list(reader.read())
    told = lines(novum("log", "--lab", lab, "--json"))
    assert [(one["seq"], one["kind"], one["actor"], one["hash"]) for one in told] == [
        (r.seq, r.kind, r.actor, r.hash) for r in records
    ]
    words = novum("log", "--lab", lab, "--last", "3").stdout.splitlines()
    assert [int(line.split()[0]) for line in words] == [r.seq for r in records[-3:]]
    assert words[-1].endswith(told[-1]["words"]) or "…" in words[-1]


def test_the_log_narrows_down(lab, inside):
    verdicts = lines(inside("log", "--lab", lab, "--json", "--kind", "verdict_reached", "--actor", "gate"))
    assert verdicts
    name = verdicts[-1]["event"]["hypothesis"]
    about = lines(inside("log", "--lab", lab, "--json", "--subject", name, "--since", 10, "--grep", name))
    assert {one["kind"] for one in about} >= {"hypothesis_registered", "confirmation_opened", "verdict_reached"}
    assert all(one["seq"] > 10 and name in one["words"] for one in about)


def test_following_a_lab_whose_session_has_ended_says_so_and_stops(lab):
    shown = novum("log", "--lab", lab, "--follow")
    assert shown.returncode == 0
    assert len(shown.stdout.splitlines()) == 10
    assert "has ended: budget" in shown.stderr


def test_following_a_running_lab_sees_its_end_and_never_locks_the_writer(tmp_path):
    runner = start("run", "coinflip", "--budget", "3s", "--lab", tmp_path, "--json", "--force")
    _until(lambda: (tmp_path / "lab.db").exists() and _last(tmp_path) > 5)
    follower = start("log", "--lab", tmp_path, "--follow", "--json", "--since", "1")
    out, err = follower.communicate(timeout=30)
    assert follower.returncode == 0, err
    assert runner.wait(timeout=10) == 0
    runner.communicate()
    numbers = [json.loads(line)["seq"] for line in out.splitlines()]
    assert numbers == list(range(2, numbers[-1] + 1))
    assert "session 1 has ended" in err
    with Reader(tmp_path) as reader:
        ended = [r.seq for r in reader.read() if r.kind == "session_ended"]
    assert numbers[-1] >= ended[-1]


def test_ctrl_c_ends_following_and_a_killed_session_is_noticed(lab, tmp_path):
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        _half_a_session(lab, tmp_path, sleeper.pid)
        follower = start("log", "--lab", tmp_path, "--follow", env={**os.environ, "PYTHONUNBUFFERED": "1"})
        assert follower.stdout.readline()
        time.sleep(0.5)
        assert not is_held(tmp_path)
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=10)
        assert follower.returncode == 130
        assert "Traceback" not in err
        follower = start("log", "--lab", tmp_path, "--follow")
    finally:
        sleeper.kill()
        sleeper.wait()
    _, err = follower.communicate(timeout=10)
    assert follower.returncode == 0
    assert "stopped without an end" in err


def test_failures_keep_their_form_and_narrow_down(lab, inside):
    shown = novum("failures", "--lab", lab, "--json")
    every = json.loads(shown.stdout)
    for one in every:
        assert set(one) >= {"trial", "kind", "cause", "purpose", "subject", "candidate", "cpu_seconds"}
    none = inside("failures", "--lab", lab, "--kind", "timed_out", "--gene", "spin=2", "--purpose", "screen")
    assert none.stdout == "no failed trials of that kind\n"
    groups = json.loads(inside("failures", "--lab", lab, "--group", "--json").stdout)
    assert sum(group["count"] for group in groups) == len(every)
    home = lab.parent.parent
    assert json.loads(inside("failures", "--arena", "coinflip", "--json", cwd=home).stdout) == [
        {**one, "lab": "labs/coins"} for one in every
    ]


@pytest.mark.parametrize("command", [("diff", "baseline", "h1"), ("lineage", "h2"), ("failures", "--group")])
def test_every_command_speaks_json_and_words(lab, inside, command):
    assert len(lines(inside(*command, "--lab", lab, "--json"))) == 1
    words = inside(*command, "--lab", lab)
    assert words.returncode == 0
    assert words.stdout.strip()


def test_export_writes_what_was_asked_for(lab, tmp_path):
    told = json.loads(novum("export", "--lab", lab, "--csv", tmp_path / "out", "--json").stdout)
    with (tmp_path / "out" / "trials.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == told["csv"]["trials"] > 500
    assert novum("export", "--lab", lab, "--csv", tmp_path / "out").stdout.startswith("csv ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("log", "--kind", "verdict"), "choose from campaign_opened"),
        (("log", "--subject", "h99999"), "nothing is called 'h99999'"),
        (("log", "--lab", "nowhere"), "no lab in nowhere"),
        (("failures", "--kind", "sad"), "choose from scored, diverged"),
        (("failures", "--purpose", "fun"), "choose from screen"),
        (("failures", "--gene", "spin"), "--gene depth=3"),
        (("failures", "--gene", "spn=1"), "the genes of"),
        (("failures", "--arena", "recall"), "of coinflip"),
        (("diff", "h1", "h1"), "same candidate"),
        (("diff", "h1", "what"), "no candidate is called 'what'"),
        (("lineage", "g1"), "no hypothesis is called 'g1'"),
        (("export",), "say what to export"),
        (("export", "h1"), "needs both"),
        (("export", "--csv", "a-file"), "cannot write"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(lab, inside, arguments, said):
    (lab.parent.parent / "a-file").write_text("")
    shown = inside(*arguments, cwd=lab.parent.parent)
    assert shown.returncode == 2, shown.stderr
    assert said in shown.stderr
    assert len(shown.stderr.strip().splitlines()) == 1


def _half_a_session(lab, directory, pid) -> None:
    """The beginning of a lab's record, written as if a process with this pid were at it."""
    from dataclasses import replace

    with Reader(lab) as reader, Journal(directory) as journal:
        for record in list(reader.read())[:40]:
            event = record.event
            journal.append([replace(event, pid=pid) if record.kind == "session_started" else event], durable=False)


def _last(lab) -> int:
    with Reader(lab) as reader:
        return max((row[0] for row in reader.rows()), default=0)


def _until(condition, seconds=30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.02)

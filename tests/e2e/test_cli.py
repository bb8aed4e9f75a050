"""The command line as its users meet it: real processes, real files."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from labs import sealed

from novum.ledger.journal import Journal, Reader

KEYS = {
    "study",
    "trials",
    "hypotheses",
    "supported",
    "refuted",
    "inconclusive",
    "failed",
    "cpu_seconds",
    "findings",
}
FINDING_KEYS = {"id", "candidate", "incumbent", "e_value", "threshold", "n", "effect", "interval"}
NO_TORCH = "import sys; sys.modules['torch'] = None; from novum.cli.app import main; main()"

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


def novum(*arguments, cwd=None, code=None, **environment):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "novum.cli"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
    )


def used(summary: dict) -> int:
    """Trials that count against the budget: the campaign's own and those of its preflight's controls."""
    return summary["trials"] + summary["preflight_trials"]


def one_object(shown):
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.strip().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    directory = sealed(tmp_path_factory.mktemp("labs") / "coins")
    shown = novum("run", "coinflip", "--budget", "700 trials", "--lab", directory, "--json")
    return directory, one_object(shown)


def test_run_ends_with_one_json_object(lab):
    _, summary = lab
    assert set(summary) >= KEYS
    parts = ("supported", "refuted", "inconclusive", "failed")
    assert summary["hypotheses"] == sum(summary[part] for part in parts)
    assert 660 <= used(summary) <= 700
    assert len(summary["findings"]) == summary["supported"]
    for finding in summary["findings"]:
        assert set(finding) >= FINDING_KEYS
        assert finding["candidate"] != finding["incumbent"]


def test_the_same_command_again_finds_the_budget_spent_and_more_budget_goes_on(lab):
    directory, summary = lab
    again = one_object(novum("run", "coinflip", "--budget", "700 trials", "--lab", directory, "--json"))
    assert again["trials"] == summary["trials"]
    assert again["findings"] == summary["findings"]
    more = one_object(novum("run", "coinflip", "--budget", "800 trials", "--lab", directory, "--json"))
    assert summary["trials"] < more["trials"]
    assert used(more) <= 800


@pytest.mark.parametrize(
    "command", [("status",), ("findings",), ("failures",), ("show", "h1"), ("verify",), ("report",), ("arenas",)]
)
def test_every_command_speaks_json_and_words(lab, inside, command, tmp_path):
    directory, _ = lab
    where = () if command == ("arenas",) else ("--lab", directory)
    where += ("-o", tmp_path / "report.html") if command == ("report",) else ()
    one_object(inside(*command, *where, "--json"))
    words = inside(*command, *where)
    assert words.returncode == 0
    assert words.stdout.strip()
    assert "Traceback" not in words.stderr


def test_show_knows_hypotheses_trials_and_candidates(lab, inside):
    directory, summary = lab
    finding = summary["findings"][0]
    hypothesis = one_object(inside("show", finding["id"], "--lab", directory, "--json"))
    assert hypothesis["outcome"] == "supported"
    assert len([p for p in hypothesis["pairs"] if p["used_for"] == "verdict"]) == finding["n"]
    assert one_object(inside("show", "g1.0", "--lab", directory, "--json"))["purpose"] == "screen"
    candidate = one_object(inside("show", finding["candidate_id"], "--lab", directory, "--json"))
    assert finding["id"] in candidate["hypotheses"]
    missing = inside("show", "h99999", "--lab", directory)
    assert missing.returncode == 2
    assert "h99999" in missing.stderr


def test_coinflip_needs_no_torch_and_recall_says_what_to_install(tmp_path):
    shown = novum(
        "run", "coinflip", "--budget", "150 trials", "--force", "--json", "--lab", tmp_path / "a", code=NO_TORCH
    )
    assert used(one_object(shown)) > 100
    refused = novum("run", "recall", "--budget", "1s", "--lab", tmp_path / "b", code=NO_TORCH)
    assert refused.returncode == 2
    assert "pip install 'novum[arenas]'" in refused.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "recal"), "there is no study 'recal'"),
        (("run", "coinflip", "--budget", "-5m"), "cannot read '-5m'"),
        (("run", "coinflip", "--budget", "0 trials"), "must be positive"),
        (("run", "coinflip", "--seed", "-1"), "--seed -1"),
        (("run", "coinflip", "--researcher", "oracle"), "choose from archive, bayes, bulk, code, evolve"),
        (("run", "broken.toml"), "broken.toml line 2"),
        (("run", "wrong.toml"), "wrong.toml line 5: gate.alpha"),
        (("run", "unbounded.toml"), "--budget"),
        (("status",), "novum run"),
        (("findings", "--lab", "nowhere"), "no lab in nowhere"),
        (("verify", "--lab", "nowhere"), "no lab in nowhere"),
        (("run", "coinflip", "--lab", "a-file"), "a-file"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(tmp_path, inside, arguments, said):
    (tmp_path / "a-file").write_text("")
    (tmp_path / "broken.toml").write_text('name = "x"\narena = = 1\n')
    (tmp_path / "wrong.toml").write_text('name = "x"\narena = "coinflip"\n\n[gate]\nalpha = 7\n')
    (tmp_path / "unbounded.toml").write_text('name = "x"\narena = "coinflip"\n')
    shown = inside(*arguments, cwd=tmp_path)
    assert shown.returncode == 2, shown.stderr
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr
    assert arguments[0] != "run" or len(shown.stderr.strip().splitlines()) == 1


def test_a_process_ends_with_one_clear_line_and_status_2(tmp_path):
    shown = novum("run", "recal", cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "there is no study 'recal'" in shown.stderr and shown.stderr.count("\n") == 1


def test_a_lab_in_use_is_refused(tmp_path):
    with Journal(tmp_path):
        shown = novum("run", "coinflip", "--budget", "10 trials", "--lab", tmp_path)
    assert shown.returncode == 2
    assert "in use by process" in shown.stderr


def test_rules_cannot_change_in_the_middle_of_a_campaign(lab, inside):
    directory, _ = lab
    shown = inside("run", "coinflip", "--seed", "7", "--budget", "9999 trials", "--lab", directory)
    assert shown.returncode == 2
    assert "seed was 0 and is 7" in shown.stderr


def test_a_full_disk_loses_nothing_that_was_recorded(tmp_path):
    """The file size limit stands in for the disk; afterwards the same command goes on."""
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000)); from novum.cli.app import main; main()"
    )
    arguments = ("run", "coinflip", "--budget", "5000 trials", "--lab", tmp_path, "--json")
    shown = novum(*arguments, code=limit)
    assert shown.returncode == 2
    assert "free space" in shown.stderr
    with Reader(tmp_path) as reader:
        kept = [record.hash for record in reader.read()]
    assert len(kept) > 100
    assert used(one_object(novum("run", "coinflip", "--budget", "400 trials", "--lab", tmp_path, "--json"))) >= 360
    with Reader(tmp_path) as reader:
        assert [record.hash for record in reader.read()][: len(kept)] == kept
    assert one_object(novum("verify", "--lab", tmp_path, "--json"))["ok"]


def test_kill_9_in_the_middle_then_the_same_command(tmp_path):
    command = [sys.executable, "-m", "novum.cli", "run", "coinflip", "--budget", "700 trials", "--lab", str(tmp_path)]
    for wait in (0.0, 0.13):
        done = _outcomes(tmp_path)
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _until(lambda done=done: _outcomes(tmp_path) > done)
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.wait()
    with Reader(tmp_path) as reader:
        before = [record.hash for record in reader.read()]
    assert before
    assert used(one_object(novum(*command[3:], "--json"))) >= 650
    with Reader(tmp_path) as reader:
        assert [record.hash for record in reader.read()][: len(before)] == before
    assert one_object(novum("verify", "--lab", tmp_path, "--json"))["ok"]


def test_ctrl_c_drains_and_the_summary_still_comes(tmp_path):
    command = [sys.executable, "-m", "novum.cli", "run", "coinflip", "--budget", "1h", "--lab", str(tmp_path), "--json"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _until(lambda: _outcomes(tmp_path) > 20)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert child.returncode == 130, err
    assert "interrupted" in json.loads(out)["reason"]
    assert one_object(novum("verify", "--lab", tmp_path, "--json"))["ok"]


@pytest.mark.alone
def test_a_wall_budget_is_kept(tmp_path):
    started = time.monotonic()
    summary = one_object(novum("run", "coinflip", "--budget", "1s", "--lab", tmp_path, "--json"))
    assert time.monotonic() - started < 10  # what the wall adds on a busy machine
    assert 0.8 <= summary["wall_seconds"] <= 5.0  # the last groups land after the bell, on a busy machine late


def test_help_is_quick_and_importing_novum_is_nearly_free():
    """In CPU time, so that nothing else on the machine counts."""
    times = []
    for _ in range(3):
        started = _used_by_children()
        assert novum("--help").returncode == 0
        times.append(_used_by_children() - started)
    assert min(times) < 0.3 * float(os.environ.get("NOVUM_SLOW_MACHINE", "3"))
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import novum"], capture_output=True, text=True, check=True
    )
    for heavy in ("torch", "numba", "sklearn", "altair", "fastapi", "pydantic", "numpy", "rich"):
        assert f" {heavy}\n" not in shown.stderr


@needs_torch
def test_recall_runs_on_both_cores_survives_kill_9_and_leaves_nobody_behind(tmp_path):
    """A short recall campaign: killed in the middle, resumed, ended by its budget, and verified."""
    command = [
        sys.executable,
        "-m",
        "novum.cli",
        "run",
        "recall",
        "--budget",
        "30 trials",
        "--force",
        "--lab",
        str(tmp_path),
    ]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _until(lambda: _outcomes(tmp_path) >= 10)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = _outcomes(tmp_path)
    assert before >= 10
    _until(lambda: not _workers_of(child.pid), 5.0)
    assert not _workers_of(child.pid)
    summary = one_object(novum(*command[3:], "--workers", "1", "--json"))
    assert before < summary["trials"] <= 30
    assert one_object(novum("verify", "--lab", tmp_path, "--json"))["ok"]


def _used_by_children() -> float:
    """CPU seconds of all processes that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _until(condition, seconds=60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.02)


def _outcomes(lab: Path) -> int:
    if not (lab / "lab.db").exists():
        return 0
    with Reader(lab) as reader:
        return sum(row[3] == "trial_finished" for row in reader.rows())


def _workers_of(pid: int) -> list[int]:
    """Processes that a lab of this pid would have left: fork servers, whose parent is now init."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if b"novum.executors.local.fork_server" in line and parent == 1:
                found.append(int(entry.name))
    return found


def test_a_study_that_cannot_succeed_is_refused_with_what_to_do_and_force_runs_it(tmp_path):
    refused = novum("run", "coinflip", "--budget", "60 trials", "--lab", tmp_path)
    assert refused.returncode == 2
    assert "cannot succeed" in refused.stderr
    assert "times as much" in refused.stderr
    assert "--force" in refused.stderr
    again = novum("run", "coinflip", "--budget", "60 trials", "--lab", tmp_path)
    assert again.returncode == 2
    forced = one_object(novum("run", "coinflip", "--budget", "60 trials", "--lab", tmp_path, "--force", "--json"))
    assert used(forced) <= 60
    more = one_object(novum("run", "coinflip", "--budget", "400 trials", "--lab", tmp_path, "--json"))
    assert more["preflight_trials"] > 0
    assert "can confirm effects" in more["preflight"]
    assert novum("verify", "--lab", tmp_path).returncode == 0


def test_reopening_names_what_can_be_reopened(lab, inside):
    directory, summary = lab
    unknown = inside("run", "coinflip", "--budget", "1800 trials", "--lab", directory, "--reopen", "h99999")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "no hypothesis 'h99999'" in unknown.stderr
    finding = summary["findings"][0]["id"]
    settled = inside("run", "coinflip", "--budget", "1800 trials", "--lab", directory, "--reopen", finding)
    assert settled.returncode == 2
    assert "only what was inconclusive" in settled.stderr

"""A program of one's own, from the shell: improved without a model, brought home as a patch, checked by a stranger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import programs
import pytest
from labs import sealed

from novum import verify
from novum.api import read_lab
from novum.core.model.errors import NovumError
from novum.ledger.journal import is_held

STUDY = f"""{programs.STUDY}
[gate]
planned = 4
calibration_pairs = 5
estimate_pairs = 4
"""


def novum(*words, cwd: Path, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "novum.cli", *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("programs")
    programs.write_program(place / "guess")
    (place / "guess" / "study.toml").write_text(STUDY)
    sealed(place / "lab")
    found = json.loads(
        novum("run", "guess", "--budget", "50 trials", "--workers", "1", "--force", "--lab", "lab", "--json", cwd=place)
    )
    assert found["supported"] >= 1, found
    return place / "lab"


def test_a_finding_is_a_patch_that_makes_the_program_better(lab):
    place = lab.parent
    (finding, *_) = json.loads(novum("findings", "--lab", lab, "--json", cwd=place))
    assert (finding["author"], finding["trust"]) == ("code", "scored outside the sandbox")
    assert finding["isolation"].startswith("sandbox of tier ")
    before = (place / "guess" / "solver.py").read_text()
    novum("apply", finding["id"], "--lab", lab, "-o", "better.patch", cwd=place)
    assert (place / "guess" / "solver.py").read_text() == before == programs.SOLVER
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as it was"]):
        subprocess.run([*git, *words], cwd=place / "guess", check=True)
    for name in ("user.name", "user.email"):
        subprocess.run(["git", "config", name, "x@y"], cwd=place / "guess", check=True)
    novum("apply", finding["id"], "--lab", lab, "--branch", "better", "--to", "guess", cwd=place)
    assert (place / "guess" / "solver.py").read_text() == before
    mean = {}
    for branch in ("main", "better"):
        subprocess.run(["git", "switch", "-q", branch], cwd=place / "guess", check=True)
        code = "import solver; print(sum(abs(solver.solve(n) - 3.05) for n in range(1000, 1050)) / 50)"
        said = subprocess.run([sys.executable, "-c", code], cwd=place / "guess", capture_output=True, check=True)
        mean[branch] = float(said.stdout)
    assert mean["better"] < mean["main"]


def test_the_record_holds_and_a_pack_is_replayed_elsewhere(lab, tmp_path):
    found = verify(lab)
    assert found.ok, found.lie
    assert found.scores > 30
    (finding, *_) = json.loads(novum("findings", "--lab", lab, "--json", cwd=lab.parent))
    novum("export", finding["id"], "-o", tmp_path / "pack.zip", "--lab", lab, cwd=tmp_path)
    assert "holds" in novum("verify", tmp_path / "pack.zip", cwd=tmp_path)
    assert "bit for bit" in novum("replay", tmp_path / "pack.zip", "--trials", "2", cwd=tmp_path)


def test_a_kill_in_the_middle_of_a_trial_leaves_no_process_no_mount_and_no_directory(tmp_path):
    programs.write_program(tmp_path / "slow", {"main.py": "import time; time.sleep(30)"})
    (tmp_path / "slow" / "study.toml").write_text(STUDY.replace("seconds = 10.0", "seconds = 60.0"))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    mounts = Path("/proc/self/mounts").read_text()
    runner = subprocess.Popen(
        [sys.executable, "-m", "novum.cli", "run", "slow", "--budget", "5m", "--lab", "killed"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 30
    while len(tree := _below(runner.pid)) < 6 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(tree) >= 6, "no trial was started"
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    until = time.monotonic() + 5.0
    while any(map(_alive, tree)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [pid for pid in tree if _alive(pid)]
    assert Path("/proc/self/mounts").read_text() == mounts
    assert not list(temporary.iterdir())


def _below(pid: int) -> list[int]:
    try:
        children = [
            int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return children + [one for child in children for one in _below(child)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_bad_input_is_one_line_that_says_what_to_do(tmp_path, refused):
    (tmp_path / "mine").write_text("x")
    assert "not empty" in refused("new", tmp_path)
    assert "there is no layout 'x'" in refused("import", "x", tmp_path)
    assert "no lab in" in refused("apply", "h1", "--lab", tmp_path / "none")
    assert "no lab in" in refused("stop", "--lab", tmp_path)
    assert "study.toml" in refused("run", tmp_path)


def test_the_doctor_says_which_walls_there_are(tmp_path):
    found = json.loads(novum("doctor", "--json", cwd=tmp_path))
    assert found["tier"] in ("namespaces", "landlock", "none")
    assert (found["tier"] == "namespaces") == (not found["gaps"])
    assert "sandbox" in novum("doctor", cwd=tmp_path)


def test_people_approve_from_the_shell(tmp_path, inside, refused, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rules = '[{ act = "propose", author = "evolve", allow = "yes" }, { act = "propose", allow = "approval" }]'
    (tmp_path / "s.toml").write_text(
        f'name = "s"\narena = "coinflip"\nexecutor = "inline"\n[policy]\nrules = {rules}\n'
    )
    runner = subprocess.Popen(
        [sys.executable, "-m", "novum.cli", "run", "s.toml", "--budget", "2m", "--lab", "lab", "--force", "--plain"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _patiently(
            lambda: (tmp_path / "lab" / "lab.db").exists() and is_held(tmp_path / "lab") and _opened(tmp_path / "lab")
        )
        novum("propose", "metal=4", "edge=4", "--as", "alice", "-m", "heavy", "--lab", "lab", cwd=tmp_path)
        _patiently(lambda: json.loads(inside("inbox", "--lab", "lab", "--json").stdout))
        (one,) = json.loads(novum("inbox", "--lab", "lab", "--json", cwd=tmp_path))
        assert "heavy" in inside("inbox", "--lab", "lab").stdout
        own = refused("approve", one["id"], "--as", "alice", "--lab", "lab")
        assert "nobody approves what they proposed" in own
        novum("approve", one["id"], "--as", "bob", "--lab", "lab", cwd=tmp_path)
        closed = ("log", "--lab", "lab", "--kind", "approval_closed")
        _patiently(lambda: "approved by bob" in inside(*closed).stdout)
        novum("stop", "--lab", "lab", cwd=tmp_path)
    finally:
        runner.kill()
        runner.wait()
    assert verify(tmp_path / "lab").ok


def _opened(lab: Path) -> bool:
    try:
        return (lab / "lab.db").exists() and is_held(lab) and read_lab(lab).session_open
    except NovumError:
        return False


def _patiently(done) -> None:
    until = time.monotonic() + 30
    while not done():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.2)

"""Trials go on from the script's own checkpoint: no step is done twice, what was used counts, nobody shares one."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

import programs
import pytest

from novum.arenas.program import trial as worker
from novum.arenas.program.arena import ProgramArena
from novum.arenas.program.bundle import unpacked
from novum.arenas.program.kept_checkpoints import KeptCheckpoint, TrialCheckpoint
from novum.arenas.program.live_progress import LiveProgress
from novum.arenas.program.manifest import parse_program, table
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.run_progress import Look
from novum.core.model.trial import ArtefactError, Limits, OutcomeKind, Trial, TrialGroup
from novum.sandbox import Tier, live_readings, sandbox_status
from novum.sandbox.checkpoints.checkpoint_files import DAYS, VARIABLE

sandboxed = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")

TRAIN = """
import json, os, sys
STEPS = 10
done = 0
if os.path.exists("state/ckpt.pt"):
    done = json.load(open("state/ckpt.pt"))["done"]
os.makedirs("state", exist_ok=True)
for step in range(done, STEPS):
    print(f"step {step} loss {1 / (step + 1):.4f}")
    json.dump({"done": step + 1}, open("state/ckpt.pt", "w"))
print(f"here {STEPS - done}")
print(f"score {STEPS + int(sys.argv[1]) % 7}")
"""
CHANGES = {
    "command": ["python", "train.py", "{seed}"], "editable": ["train.py"], "report": {"pattern": r"score (\S+)"},
    "progress": r"loss (\S+)", "checkpoint": "state/ckpt.pt",
    **dict.fromkeys(("outputs", "prepare", "visible", "truth", "score", "metrics", "ceiling")),
}  # fmt: skip


@pytest.fixture
def arena(tmp_path):
    files = {"train.py": TRAIN, "state/ckpt.pt": '{"done": 10}'}
    return ProgramArena(programs.options(tmp_path / "study", files, **CHANGES))


@pytest.fixture
def live(tmp_path, monkeypatch):
    (tmp_path / "lab").mkdir()
    directory = live_readings.prepared(tmp_path / "lab")
    monkeypatch.setenv(VARIABLE, str(directory))
    return directory


def group_of(arena, genome=(), seed=1, **more) -> TrialGroup:
    candidate = Candidate(arena.space.validate(dict(genome)))
    return TrialGroup("g", candidate, (Trial("g.0", seed),), arena.options, limits=Limits(seconds=20.0), **more)


def kept_for(arena, group) -> KeptCheckpoint:
    return KeptCheckpoint.of(unpacked(str(arena.options["bundle"])), group, group.trials[0])


def state(done: int) -> TrialCheckpoint:
    return TrialCheckpoint(json.dumps({"done": done}).encode(), 100.0, 7.0, ((1.0, 0.9), (2.0, 0.8)))


def test_only_a_study_that_has_one_says_so():
    plain = parse_program(programs.TABLE)
    assert plain.checkpoint == "" and "checkpoint" not in table(plain)
    with_one = parse_program({**programs.TABLE, "checkpoint": "ckpt.pt"})
    assert parse_program(table(with_one)) == with_one


PHASES = {"command": None, "phases": [{"command": ["python", "main.py"]}]}
REPORTED = dict.fromkeys(("prepare", "visible", "truth", "score", "outputs"))
WRONG = {
    "absolute": ({"checkpoint": "/tmp/ckpt.pt"}, "no plain relative path"),
    "above": ({"checkpoint": "../ckpt.pt"}, "no plain relative path"),
    "phases": ({"checkpoint": "ckpt.pt", **PHASES}, "give a command"),
    "output": ({"checkpoint": "answer.json"}, "also an output"),
    "visible": ({"checkpoint": "hint.json"}, "also an output"),
    "program": ({"checkpoint": "solver.py"}, "a file of the program"),
    "mean": ({"checkpoint": "c.pt", **REPORTED, "report": {"pattern": "(.)", "take": "min"}}, "report.take is the min"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_checkpoint_that_cannot_work_is_refused(change, words):
    given = {key: value for key, value in {**programs.TABLE, **change}.items() if value is not None}
    with pytest.raises(StudyError, match=rf"^program: checkpoint: .*{words}"):
        parse_program(given)


def test_the_users_own_file_is_no_part_of_the_study(arena):
    bundle = unpacked(str(arena.options["bundle"]))
    assert set(bundle.shown) >= {"train.py"} and "state/ckpt.pt" not in {*bundle.shown, *bundle.kept}


@sandboxed
def test_a_trial_goes_on_from_its_checkpoint_and_scores_as_if_it_had_never_stopped(arena, live):
    group = group_of(arena)
    (whole,) = worker.run(group)
    assert whole.resumed == (0.0, 0.0) and len(whole.curve) == 10
    kept_for(arena, group).save(state(4))
    (output,) = worker.run(group)
    assert output.artefact == whole.artefact, "a replay from the beginning gives the same bytes"
    assert output.resumed == (100.0, 7.0) and output.facts["resumed_after_cpu_seconds"] == 100.0
    assert output.facts["cpu_seconds"] > 100.0
    assert [value for _, value in output.curve] == [0.9, 0.8] + [round(1 / (one + 1), 4) for one in range(4, 10)]
    assert [at for at, _ in output.curve] == sorted(at for at, _ in output.curve) and output.curve[2][0] > 100.0
    assert list(live.iterdir()) == [], "an ended trial leaves nothing"


@sandboxed
@pytest.mark.parametrize(
    "content", [b"{", b'{"done": "x"}', b'{"done": 11}', b""], ids=["torn", "odd", "after", "empty"]
)
def test_a_checkpoint_of_no_use_costs_a_start_and_nothing_else(arena, live, content):
    group = group_of(arena, {"train.py": TRAIN.replace("for step", "assert done <= STEPS\nfor step")})
    kept_for(arena, group).save(replace(state(4), content=content))
    (output,) = worker.run(group)
    assert arena.score(group, group.trials[0], output.artefact).value >= 10.0
    assert output.resumed == (0.0, 0.0) and 0.0 < output.facts["failed_resume_cpu_seconds"] < 10.0
    assert output.facts["cpu_seconds"] < 10.0 and len(output.curve) == 10
    assert list(live.iterdir()) == []


@sandboxed
def test_a_start_that_reports_no_score_is_followed_by_one_that_does(arena, live):
    group = group_of(arena, {"train.py": TRAIN.replace('print(f"score', 'if done < STEPS:\n    print(f"score')})
    kept_for(arena, group).save(state(10))
    (output,) = worker.run(group)
    assert arena.score(group, group.trials[0], output.artefact).value >= 10.0
    assert "failed_resume_cpu_seconds" in output.facts


@sandboxed
def test_without_time_for_another_run_the_trial_is_lost_and_not_the_candidates_fault(arena, live):
    group = group_of(
        arena, {"train.py": TRAIN.replace("for step", "import time\ntime.sleep(30 * (done > 0))\nfor step")}
    )
    kept_for(arena, group).save(replace(state(4), wall_seconds=17.5))
    (output,) = worker.run(group)
    with pytest.raises(ArtefactError, match="nothing came of its checkpoint") as found:
        arena.score(group, group.trials[0], output.artefact)
    assert found.value.kind is OutcomeKind.LOST
    assert list(live.iterdir()) == []


@sandboxed
def test_looks_at_progress_count_from_the_first_start(arena, live):
    text = TRAIN.replace('print(f"here', 'while True:\n    pass\nprint(f"here')
    group = group_of(arena, {"train.py": text}, looks=(Look(100.001, 2.0, above=False),))
    kept_for(arena, group).save(state(4))
    (output,) = worker.run(group)
    with pytest.raises(ArtefactError, match="its progress after 100 s") as found:
        arena.score(group, group.trials[0], output.artefact)
    assert found.value.kind is OutcomeKind.STOPPED and output.resumed == (100.0, 7.0)


def test_progress_on_gpus_counts_wall_time_of_earlier_starts():
    live = LiveProgress(r"loss (\S+)", gpus=2, readings=[(3.0, 1.0)], used=(50.0, 4.0))
    live.hear(b"loss 0.5\n")
    live.judge(0.1)
    assert live.curve[0] == (3.0, 1.0) and 8.0 <= live.curve[1][0] < 9.0


def test_no_two_trials_share_a_checkpoint(arena, live, tmp_path):
    other = ProgramArena(programs.options(tmp_path / "other", {"train.py": TRAIN, "more.txt": "x"}, **CHANGES))
    group = group_of(arena)
    groups = [
        (arena, group),
        (arena, group_of(arena, seed=2)),
        (arena, group_of(arena, {"train.py": TRAIN + "print(0)\n"})),
        (arena, replace(group, fidelity=0.5)),
        (arena, replace(group, trials=(Trial("g.0", 1, {"x": 1}),))),
        (other, group),
    ]
    paths = [kept_for(*one).path for one in groups]
    assert len(set(paths)) == len(groups) and {one.parent for one in paths} == {live}
    again = replace(group, id="g7", trials=(Trial("g7.3", 1),))
    assert kept_for(arena, again).path == paths[0], "a trial that is sent again finds its own"
    kept_for(arena, group).save(state(4))
    assert [kept_for(*one).load() is not None for one in groups] == [True, False, False, False, False, False]


def test_what_is_kept_is_private_whole_or_not_there(arena, live):
    kept = kept_for(arena, group_of(arena))
    assert kept.load() is None
    kept.save(state(4))
    assert kept.load() == state(4) and kept.path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in live.iterdir()] == [kept.path.name]
    whole = kept.path.read_bytes()
    for damage in (whole[:-1], whole + b"x", whole[:20], b"", b"\0" * len(whole), whole.replace(b"100.0", b"-10.0")):
        kept.path.write_bytes(damage)
        assert kept.load() is None
    kept.drop()
    kept.drop()


def test_without_a_directory_or_a_key_nothing_is_kept(arena, live, monkeypatch, tmp_path):
    plain = ProgramArena(programs.options(tmp_path / "plain", {"train.py": TRAIN}, **{**CHANGES, "checkpoint": ""}))
    assert kept_for(plain, group_of(plain)).path is None
    monkeypatch.delenv(VARIABLE)
    nowhere = kept_for(arena, group_of(arena))
    nowhere.save(state(4))
    assert nowhere.load() is None and list(live.iterdir()) == []


def test_a_directory_that_cannot_be_written_fails_nothing(arena, live, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(live / "not/there"))
    kept = kept_for(arena, group_of(arena))
    kept.save(state(4))
    assert kept.load() is None


def test_a_second_session_keeps_checkpoints_for_a_week_and_nothing_else(arena, live):
    kept = kept_for(arena, group_of(arena))
    kept.save(state(4))
    live_readings.publish("g.0", 1.0, 2.0)
    (live / f"{kept.path.stem}.123").write_bytes(b"cut short")
    assert set(live_readings.read(live.parent)) == {"g.0"}
    assert list(live_readings.prepared(live.parent).iterdir()) == [kept.path]
    old = time.time() - DAYS * 86_400 - 60
    os.utime(kept.path, (old, old))
    assert list(live_readings.prepared(live.parent).iterdir()) == []


PUT = """
import os, time
os.makedirs("state", exist_ok=True)
{act}
time.sleep(0.7)
print("loss 0.5")
print("score 3.0")
"""
ACTS = {
    "a link": "os.symlink('/etc/passwd', 'state/ckpt.pt')",
    "a FIFO": "os.mkfifo('state/ckpt.pt')",
    "a huge file": "open('state/ckpt.pt', 'wb').truncate(1 << 25)",
}


@sandboxed
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_what_a_candidate_puts_in_its_place_ends_nothing(arena, live, act, monkeypatch):
    saved = []
    monkeypatch.setattr(KeptCheckpoint, "save", lambda _, one: saved.append(one))
    group = group_of(arena, {"train.py": PUT.format(act=act)})
    group = replace(group, limits=replace(group.limits, memory_bytes=512 << 20))
    (output,) = worker.run(group)
    assert arena.score(group, group.trials[0], output.artefact).value == 3.0
    assert saved == []


@sandboxed
def test_what_is_saved_tells_what_was_used_over_all_starts_and_the_readings_by_then(arena, live, monkeypatch):
    text = TRAIN.replace('print(f"here', 'import time\ntime.sleep(0.7)\nprint("loss 7")\nprint(f"here')
    group = group_of(arena, {"train.py": text})
    kept_for(arena, group).save(state(4))
    saved = []
    monkeypatch.setattr(KeptCheckpoint, "save", lambda _, one: saved.append(one))
    worker.run(group)
    (one,) = saved
    assert json.loads(one.content) == {"done": 10}
    assert 100.0 <= one.cpu_seconds < 102.0 and 7.0 <= one.wall_seconds < 10.0
    assert one.readings[:2] == ((1.0, 0.9), (2.0, 0.8)) and all(value != 7.0 for _, value in one.readings)

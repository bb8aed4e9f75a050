"""Programs with GPUs: the candidate alone sees its own, a machine without is refused, compute is GPU time."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace

import programs
import pytest

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.project import find_project
from novum.arenas.program import trial as worker
from novum.arenas.program.arena import ProgramArena
from novum.arenas.program.manifest import parse_program, table
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.hardware import Gpu, GpuKind
from novum.core.model.metric import COMPUTE
from novum.core.model.proposal import Proposal
from novum.core.model.trial import Limits, Trial, TrialGroup
from novum.lab.gpu_supply import supply_words, workers_for
from novum.lab.session import session
from novum.lab.wiring import executor
from novum.sandbox import Tier, sandbox_status
from novum.studies.load import load_study

sandboxed = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
GPU = Gpu("GPU-7", "a made-up GPU", GpuKind.NVIDIA, ("/dev/full",), visible="GPU-7")
LOOK = """
import json, os
def seen():
    try:
        open("/dev/full", "rb").close()
    except OSError:
        return 0.0
    return 1.0
"""


def test_a_table_says_how_many_and_one_without_is_as_it_ever_was():
    assert parse_program(programs.TABLE).gpus == 0
    assert "gpus" not in table(parse_program(programs.TABLE))
    with_two = parse_program({**programs.TABLE, "gpus": 2})
    assert parse_program(table(with_two)) == with_two
    for wrong in (-1, 9, "one", 1.5):
        with pytest.raises(StudyError, match=r"^program\.gpus: "):
            parse_program({**programs.TABLE, "gpus": wrong})


@sandboxed
@pytest.mark.parametrize("held", [(GPU,), ()], ids=["with", "without"])
def test_the_candidate_sees_its_gpu_and_prepare_and_score_see_none(tmp_path, held):
    files = {
        "solver.py": LOOK
        + "\n\ndef solve(seed):\n    return 2 * seen() + (os.environ.get('CUDA_VISIBLE_DEVICES') == 'GPU-7')\n",
        "prepare.py": LOOK + "json.dump(seen(), open('target.json', 'w'))\njson.dump(0, open('hint.json', 'w'))\n",
        "score.py": LOOK
        + "said, made = json.load(open('answer.json')), json.load(open('target.json'))\n"
        + "json.dump({'value': said + 10 * made + 100 * seen(), 'size': 1.0}, open('score.json', 'w'))\n",
    }
    arena = ProgramArena(programs.options(tmp_path, files, gpus=1))
    assert arena.spec.gpus == 1
    group = TrialGroup("g", Candidate({}), (Trial("g.0", 1),), arena.options, limits=Limits(seconds=20.0), gpus=held)
    (output,) = worker.run(group)
    assert arena.score(group, group.trials[0], output.artefact).value == (3.0 if held else 0.0)


def study_of(tmp_path, **table) -> str:
    words = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    programs.write_program(tmp_path / "guess")
    text = programs.STUDY.replace("[program]\n", f"[program]\n{words}", 1)
    (tmp_path / "guess/study.toml").write_text(text)
    return str(tmp_path / "guess")


@pytest.mark.parametrize("count", [0, 1])
def test_a_machine_with_too_few_is_refused_before_anything_is_made(tmp_path, with_gpus, refused, monkeypatch, count):
    monkeypatch.chdir(tmp_path)
    with_gpus(count)
    told = refused("run", study_of(tmp_path, gpus=2), "--budget", "10 trials", "--lab", tmp_path / "lab")
    assert "program.gpus" in told and f"this machine has {count or 'none'}" in told and "gpus = 0" in told
    assert not (tmp_path / "lab").exists()


def test_no_more_workers_than_groups_that_can_hold_gpus(tmp_path, with_gpus):
    with_gpus(3)
    spec = replace(ProgramArena(programs.guessing()).spec, gpus=2)
    assert workers_for(spec, 8) == 1 and workers_for(replace(spec, gpus=1), 8) == 3
    assert workers_for(replace(spec, gpus=1), 2) == 2 and workers_for(replace(spec, gpus=0), 8) == 8
    (said,) = supply_words(spec, 8)
    assert "3 (a made-up GPU), 2 to each" in said and "1 of 8 workers" in said and "take turns" in said
    assert supply_words(replace(spec, gpus=0), 8) == []


def test_an_executor_that_hands_out_no_gpus_is_refused(tmp_path, with_gpus, monkeypatch):
    with_gpus(1)
    study = load_study(study_of(tmp_path, gpus=1)).study
    monkeypatch.setattr("novum.registry.find", lambda *_: object)
    arena = ProgramArena(programs.options(tmp_path / "other", gpus=1))
    with pytest.raises(StudyError, match="hands out no GPUs"):
        executor(study, arena, 2)


SCRIPT = """import random, time
SEED = 1
STEPS = 50
DEVICE = "cuda"
random.seed(SEED)
error = 1.0
for step in range(STEPS):
    error -= 4e-4 * error
time.sleep(STEPS / 1000)
print(f"val loss {error + random.gauss(0, 0.002):.5f}")
"""


def adopted(tmp_path, gpus: int | None, script: str = SCRIPT) -> str:
    (tmp_path / "train.py").write_text(script)
    return adopt(find_project(tmp_path / "train.py", ()), Wishes(seconds=60.0, gpus=gpus), lambda _: None).text


@sandboxed
def test_adopt_gives_a_gpu_to_a_script_that_names_cuda(tmp_path, with_gpus):
    with_gpus(2)
    text = adopted(tmp_path, None)
    assert "\ngpus = 1  # guess: the script names cuda" in text
    assert "\nwaiting = 2 " in text
    assert "gpus" not in adopted(tmp_path, None, SCRIPT.replace("cuda", "cpu"))
    assert "\ngpus = 0\n" not in adopted(tmp_path, 0) and "guess: the script names" not in adopted(tmp_path, 0)
    assert "\ngpus = 2\n" in adopted(tmp_path, 2)
    with pytest.raises(StudyError, match="--gpus 3: a trial holds 3 GPUs"):
        adopted(tmp_path, 3)
    with_gpus(0)
    assert "\ngpus = 0  # guess: the script names cuda, and no GPU" in adopted(tmp_path, None)


class Longer:
    """Proposes to wait ever longer, which takes no CPU time."""

    def propose(self, view, rng):
        del rng
        return Proposal(view.space.with_parameters({}, {"STEPS": 800 + view.number}), "longer")


@sandboxed
@pytest.mark.slow
@pytest.mark.parametrize("gpus", [0, 1])
def test_time_on_a_gpu_is_compute_where_time_without_one_is_not(tmp_path, with_gpus, gpus):
    with_gpus(2)
    text = adopted(tmp_path, gpus).replace("high = 200", "high = 2000")
    (tmp_path / "study.toml").write_text(text)
    study = load_study(str(tmp_path)).study
    with session(study, Budget(trials=16), tmp_path / "lab", workers=2, researcher=Longer()) as lab:
        lab.run()
        state = lab.state
    judged = [one for one in state.hypotheses.values() if one.verdict]
    assert state.screened
    baseline = state.incumbents[0].candidate.id
    ratios = [state.compute_ratio(one.candidate.id, baseline) for one in state.screened]
    if gpus:
        assert statistics.median(ratios) > 1.5, "a tenth of a second is the start that both pay for"
        assert not state.findings
        assert all("compute" in one.verdict.reason for one in judged)
        assert state.spending.lab.gpu_seconds > 0
    else:
        assert statistics.median(ratios) < 1.5, "a tenth of a second of CPU time is not measured exactly"
        assert state.spending.lab.gpu_seconds == 0
        guards = [one for h in judged for one in h.verdict.guards if one.metric == COMPUTE]
        assert all(one.mean is None or one.mean > -0.4 for one in guards)

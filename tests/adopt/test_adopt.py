"""`novum adopt` on whole scripts: one command makes a study that loads, and each hopeless script gets its sentence."""

from __future__ import annotations

import tomllib

import pytest

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.project import find_project
from novum.core.model.errors import StudyError
from novum.sandbox import Tier, sandbox_status
from novum.studies.load import load_study

pytestmark = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")

SCRIPT = """import argparse, random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--log-every", type=int, default=10)
args = parser.parse_args()
rng = random.Random(args.seed)
target = 0.7


def sample():
    return [rng.gauss(target, 0.3) for _ in range(8)]


def evaluate(weight):
    return sum((weight - x) ** 2 for x in sample()) / 8


def never():
    return 17 * 3


weight = 0.0
for step in range(args.steps):
    gradient = sum(2 * (weight - x) for x in sample()) / 8
    weight -= args.lr * gradient
    if step % args.log_every == 0:
        print(f"step {step}: val loss {evaluate(weight):.4f}")
final = evaluate(weight)
print(f"final val loss {final:.6f}")
"""


def adopted(folder, text=SCRIPT, arguments=(), **wishes):
    (folder / "train.py").write_text(text)
    result = adopt(find_project(folder / "train.py", arguments), Wishes(seconds=60.0, **wishes), lambda _: None)
    (folder / "study.toml").write_text(result.text)
    return result, tomllib.loads(result.text)


def test_a_script_becomes_a_study_that_loads(tmp_path):
    result, study = adopted(tmp_path)
    program = study["program"]
    assert result.metric.name == "final val loss" and program["higher_is_better"] is False
    assert program["command"] == ["python", "train.py", "--seed", "{seed}"]
    assert [one["name"] for one in program["parameters"]][:2] == ["lr", "steps"]
    assert not {"seed", "log_every"} & {one["name"] for one in program["parameters"]}
    assert "train.py: evaluate" in program["protect"]["functions"]
    assert "train.py: final" in program["protect"]["names"]
    line = SCRIPT.split("\n").index("    return 17 * 3") + 1
    assert str(line) in program["protect"]["idle"]["train.py"]
    space = load_study(str(tmp_path)).study
    assert {one.metric: one.margin for one in space.gate.guardrails} == {"compute": 1.05}


def test_flags_that_are_given_stay_as_they_are(tmp_path):
    _, study = adopted(tmp_path, arguments=("--lr", "0.05"))
    assert study["program"]["command"][:4] == ["python", "train.py", "--lr", "0.05"]
    assert [one["name"] for one in study["program"]["parameters"]] == ["steps"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ValueError('broken')", "train.py does not run here: exit status 1: ValueError: broken"),
        ("import no_such_package", "install what is missing there"),
        ("print('hello')", "printed no number that looks like a score"),
        ("for i in range(9): print('val loss 2.5')", "a constant is no score"),
        ("print('val loss', float('nan'))", "a baseline needs a number"),
    ],
)
def test_what_cannot_be_adopted_is_said(tmp_path, text, words):
    with pytest.raises(StudyError, match=words):
        adopted(tmp_path, text)


def test_a_script_without_a_seed_is_seeded_from_outside(tmp_path):
    text = "import random\nLR = 0.1\nprint('test accuracy', LR + random.random())\n"
    result, study = adopted(tmp_path, text)
    assert study["program"]["seed"] == "outside" and study["program"]["higher_is_better"] is True
    assert any("sets no seed" in note for note in result.notes)
    again, _ = adopted(tmp_path, text)
    assert again.value == result.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [("SEED = 3\nimport random\nrandom.seed(SEED)\nprint('val loss', random.random())\n", "train.py: SEED"),
     ("import os, random\nrandom.seed(int(os.environ.get('SEED', 1)))\nprint('val loss', random.random())\n", "$SEED"),
     ("import random\nrandom.seed(1337)\nprint('val loss', random.random())\n", "outside")],
)  # fmt: skip
def test_a_seed_reaches_the_script_wherever_it_is_set(tmp_path, text, kind):
    result, study = adopted(tmp_path, text)
    assert study["program"]["seed"] == kind
    import random

    assert result.value == pytest.approx(random.Random(1).random())


def test_a_metric_can_be_named_and_a_wrong_name_is_answered(tmp_path):
    result, _ = adopted(tmp_path, SCRIPT + "print('badness of fit', 3.5 + final)\n", metric="badness of fit",
                        direction="lower")  # fmt: skip
    assert result.value > 3.5
    with pytest.raises(StudyError, match="no number stands behind these words"):
        adopted(tmp_path, metric="splendour")
    with pytest.raises(StudyError, match="say --higher or --lower"):
        adopted(tmp_path, SCRIPT + "print('badness of fit', 3.5)\n", metric="badness of fit")


def test_a_folder_with_several_scripts_asks_which(tmp_path):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
    with pytest.raises(StudyError, match=r"which script is it\? give its path: a.py, b.py"):
        find_project(tmp_path, ())


def test_it_runs_with_the_environment_that_lies_beside_the_script(tmp_path):
    import venv

    venv.create(tmp_path / ".venv", with_pip=False, symlinks=True)
    text = "import random, sys\nLR = 0.1\nassert '.venv' in sys.prefix\nprint('val loss', LR + random.random())\n"
    _, study = adopted(tmp_path, text)
    assert study["program"]["python"] == str(tmp_path / ".venv" / "bin" / "python")
    with pytest.raises(StudyError, match="there is no interpreter"):
        find_project(tmp_path / "train.py", (), "/nowhere/python")


def test_a_seed_that_is_given_gives_way_and_a_parameter_of_a_function_is_set_in_its_place(tmp_path):
    _, study = adopted(tmp_path, arguments=("--seed", "5"))
    assert study["program"]["command"][-4:] == ["--seed", "5", "--seed", "{seed}"]
    text = (
        "import random, typer\n\ndef main(seed: int = 3, lr: float = 0.1):\n    random.seed(seed)\n"
        "    print('val loss', random.random())\n\ntyper.run(main)\n"
    )
    result, study = adopted(tmp_path, text)
    assert study["program"]["seed"] == "train.py: main(seed)"
    import random

    assert result.value == pytest.approx(random.Random(1).random())

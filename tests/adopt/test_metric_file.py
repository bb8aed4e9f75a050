"""Scores in the files that a script writes: found where nothing is printed, and by name; what makes them is fixed."""

from __future__ import annotations

import json
import tomllib

import pytest

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.evaluation_slice import find_evaluation
from novum.adopt.metrics.metric_file import find_file_metrics, looked_at, named_file_metric
from novum.adopt.project import find_project
from novum.arenas.program.score_in_file import score_in_file
from novum.core.model.errors import StudyError
from novum.sandbox import Tier, sandbox_status
from novum.studies.load import load_study

FILES = {
    "broken.json": b"{",
    "config.json": b'{"loss_weight": 0.5, "target_loss": 1, "seed": 3}',
    "history.csv": b"epoch,train_loss,val_acc,best_acc,note\n1,0.9,0.5,0.5,a\n2,0.7,0.8,0.8,b\n3,0.6,0.7,0.7,c\n",
    "large.json": None,
    "log.jsonl": b'{"loss": 3}\n{"loss": 2.5, "lr": 0.1}\n',
    "out/results.json": b'{"test": {"acc": 0.75, "loss": NaN}, "badness": 3, "accuracy": "high", "steps": 9}',
}


def test_scores_are_found_by_file_and_key_the_likeliest_first():
    found = find_file_metrics(FILES)
    assert {(one.file, one.name): one.take for one in found} == {
        ("history.csv", "train_loss"): "last", ("history.csv", "val_acc"): "last", ("history.csv", "best_acc"): "max",
        ("log.jsonl", "loss"): "last", ("out/results.json", "test.acc"): "last",
        ("out/results.json", "test.loss"): "last",
    }  # fmt: skip
    assert [one.name for one in found[:2]] == ["test.acc", "val_acc"]
    assert found[-1].name == "test.loss"
    assert [one.rank for one in found] == list(range(len(found)))


@pytest.mark.parametrize("metric", find_file_metrics(FILES)[:-1], ids=lambda one: one.name)
def test_what_is_found_is_what_the_arena_reads(metric):
    taken = max(metric.values) if metric.take == "max" else metric.values[-1]
    assert score_in_file(metric.report, FILES[metric.file]) == taken


@pytest.mark.parametrize(
    ("words", "file", "key"),
    [
        ("badness", "out/results.json", "badness"), ("ACC", "out/results.json", "test.acc"),
        ("history.csv: train_loss", "history.csv", "train_loss"), ("loss", "log.jsonl", "loss"),
        ("train", "history.csv", "train_loss"), ("epoch", "history.csv", "epoch"),
    ],
)  # fmt: skip
def test_any_number_can_be_named(words, file, key):
    found = named_file_metric(FILES, words)
    assert (found.file, found.name) == (file, key)
    assert named_file_metric(FILES, "splendour") is None
    assert named_file_metric(FILES, "accuracy") is None


def test_the_files_that_were_looked_at_are_named():
    assert "large.json (too large)" in looked_at(FILES) and "log.jsonl" in looked_at(FILES)
    assert "it wrote no JSON file and no table" in looked_at({})
    assert "and 2 more" in looked_at({f"{n}.json": b"" for n in range(10)})


DICTIONARY = """
val = quality(w)
results = {"val": {"loss": val}, "config": {"lr": rate}}
results["time"] = clock
json.dump(results, open("r.json", "w"))
"""
SUBSCRIPT = """
results = {}
val = quality(w)
results["loss"] = val
history["loss"].append(val)
"""
KEYWORD = """
val = quality(w)
results = dict(loss=val, lr=rate)
"""
ROWS = """
writer.writerow(["epoch", "train", "loss"])
val = quality(w)
writer.writerow([clock, rate, val])
"""
TEXT = """
file.write("epoch,train,loss\\n")
val = quality(w)
file.write(f"{clock},{rate},{val}\\n")
"""
FRAME = """
rows = []
val = quality(w)
rows.append((clock, val))
pd.DataFrame(rows, columns=["epoch", "loss"]).to_csv("m.csv")
"""
PRINTED = """
print("epoch,loss", file=out)
val = quality(w)
print(f"{clock},{val}", file=out)
"""


@pytest.mark.parametrize("text", [DICTIONARY, SUBSCRIPT, KEYWORD, ROWS, TEXT, FRAME, PRINTED])
def test_what_is_written_under_the_key_is_evaluation_and_what_is_written_beside_it_is_not(text):
    text = "def quality(w):\n    return w\n\nrate = 0.1\nclock = 3\n" + text
    found = find_evaluation({"t.py": text}, "val.loss", written=True)
    names = {one.removeprefix("t.py: ") for one in found.names}
    assert "val" in names and "t.py: quality" in found.functions
    assert not {"rate", "clock"} & (names | found.uses)
    if "results" in text:
        assert "results" in names


needs_sandbox = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")
BODY = """import csv, json, random, time

LR = 0.1
STEPS = 20
random.seed(1337)


def quality(weight, points):
    return sum((weight - x) ** 2 for x in points) / len(points)


points = [random.gauss(0.7, 0.1) for _ in range(9)]
weight = 0.0
"""
JSON = f"""{BODY}
for _ in range(STEPS):
    weight -= LR * (weight - random.gauss(0.7, 0.1))
loss = quality(weight, points)
with open("results.json", "w") as file:
    json.dump({{"config": {{"lr": LR}}, "val": {{"loss": loss}}, "took": time.time()}}, file)
"""
TABLE = f"""{BODY}
file = open("metrics.csv", "a")
writer = csv.writer(file)
writer.writerow(["epoch", "train_loss", "val_loss"])
for epoch in range(STEPS):
    x = random.gauss(0.7, 0.1)
    weight -= LR * (weight - x)
    val = quality(weight, points)
    writer.writerow([epoch, (weight - x) ** 2, val])
"""


def adopted(folder, text, **wishes):
    (folder / "train.py").write_text(text)
    result = adopt(find_project(folder / "train.py", ()), Wishes(seconds=60.0, **wishes), lambda _: None)
    (folder / "study.toml").write_text(result.text)
    return result, tomllib.loads(result.text)["program"]


@needs_sandbox
def test_a_script_that_writes_json_becomes_a_study_that_loads(tmp_path):
    (tmp_path / "results.json").write_text('{"val": {"loss": 99}, "config": {"lr": 0.1}}')
    result, program = adopted(tmp_path, JSON)
    assert program["report"] == {"file": "results.json", "key": "val.loss", "take": "last"}
    assert result.metric.name == "val.loss" and 0 < result.value < 1 and not result.higher_is_better
    assert "written to results.json" in result.text
    assert {one["at"] for one in program["parameters"]} == {"train.py: LR", "train.py: STEPS"}
    assert "train.py: quality" in program["protect"]["functions"] and "train.py: loss" in program["protect"]["names"]
    assert any("read from results.json" in note for note in result.notes)
    load_study(str(tmp_path))
    assert json.loads((tmp_path / "results.json").read_text())["val"] == {"loss": 99}


@needs_sandbox
def test_a_script_that_writes_a_table_becomes_a_study_and_its_trials_score(tmp_path):
    from novum.arenas.program import trial as worker
    from novum.arenas.program.arena import ProgramArena
    from novum.core.model.candidate import Candidate
    from novum.core.model.trial import Limits, Trial, TrialGroup

    (tmp_path / "metrics.csv").write_text("epoch,train_loss,val_loss\n0,9,9\n")
    result, program = adopted(tmp_path, TABLE)
    assert program["report"] == {"file": "metrics.csv", "key": "val_loss", "take": "last"}
    assert "writerow" in program["protect"]["calls"] and "train.py: val" in program["protect"]["names"]
    assert len(result.metric.values) == 20, "rows of before the run do not count"
    arena = ProgramArena(load_study(str(tmp_path)).study.options)
    with pytest.raises(StudyError, match="touches what is fixed"):
        arena.space.validate({"train.py": TABLE.replace("** 2, val])", "** 2, 0])")})
    group = TrialGroup("g", Candidate({}), (Trial("g.0", 1),), arena.options, limits=Limits(seconds=30.0))
    (output,) = worker.run(group)
    assert output.artefact
    assert 0 < arena.score(group, group.trials[0], output.artefact).value < 1


@needs_sandbox
def test_what_is_printed_is_taken_before_what_is_written_unless_only_a_file_has_it(tmp_path):
    text = JSON + "print('val loss', 0.5 + loss)\n"
    assert "pattern" in adopted(tmp_path, text)[1]["report"]
    named, program = adopted(tmp_path, text, metric="results.json: val.loss")
    assert program["report"]["file"] == "results.json" and named.value < 0.5
    assert "pattern" in adopted(tmp_path, text, metric="val loss")[1]["report"]
    assert "file" in adopted(tmp_path, JSON + "print('train loss', loss)\n")[1]["report"]
    with pytest.raises(StudyError, match=r"in the files that it wrote: results\.json; scores that were found: 'val lo"):
        adopted(tmp_path, text, metric="splendour")


@needs_sandbox
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import json\njson.dump({'steps': 3}, open('a.json', 'w'))", r"in the files that it wrote: a\.json"),
        ("print('hello')", "it wrote no JSON file and no table"),
        ("open('a.csv', 'w').write('loss\\n' + '2.5\\n' * 5)", r"'loss' is 2\.5 all 5 times in a\.csv: a constant"),
        ("open('a.json', 'w').write('{\"loss\": NaN}')", r"a\.json has nan under 'loss'.*: a baseline needs a number"),
    ],
)
def test_what_holds_no_score_is_said(tmp_path, text, words):
    (tmp_path / "input.json").write_text('{"val_loss": 1.5}')
    with pytest.raises(StudyError, match=words):
        adopted(tmp_path, text)


def test_what_novum_log_is_told_is_the_score_whatever_is_printed(tmp_path):
    (tmp_path / "train.py").write_text(
        "import os, random\nimport novum\nLR = 0.1\nrandom.seed(3)\nos.makedirs('runs'); os.chdir('runs')\n"
        "def evaluate(w): return abs(w - LR)\n"
        "for step in range(3):\n    w = random.random()\n    print('val accuracy:', w)\n"
        "    novum.log({'train/loss': w, 'val/loss': evaluate(w)}, step=step)\n"
    )
    result = adopt(find_project(tmp_path, ()), Wishes(), lambda _: None)
    table = tomllib.loads(result.text)["program"]
    assert table["report"] == {"file": "novum.jsonl", "key": "val/loss", "take": "last"}
    assert table["packages"] == []
    assert "train.py: evaluate" in table["protect"]["functions"]


EVENTS = """
import os, random, struct, time
random.seed(0)
RATE = 0.1
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)
def crc(data):
    found = 2**32 - 1
    for byte in data:
        found = TABLE[(found ^ byte) & 255] ^ found >> 8
    found ^= 2**32 - 1
    return struct.pack("<I", ((found >> 15 | found << 17) + 0xA282EAD8) % 2**32)
class Writer:
    def __init__(self):
        folder = f"runs/{time.time_ns()}"
        os.makedirs(folder)
        self.file = open(f"{folder}/events.out.tfevents.{time.time_ns()}.host", "wb")
    def add_scalar(self, tag, value, step):
        inner = b"\\x0a" + bytes([len(tag)]) + tag.encode() + b"\\x15" + struct.pack("<f", value)
        inner = b"\\x0a" + bytes([len(inner)]) + inner
        data = b"\\x09" + struct.pack("<d", time.time()) + b"\\x10" + bytes([step])
        data += b"\\x2a" + bytes([len(inner)]) + inner
        head = struct.pack("<Q", len(data))
        self.file.write(head + crc(head) + data + crc(data))
def score(w):
    return abs(w - 1)
writer, w = Writer(), 0.0
for step in range(9):
    w += RATE * random.random()
    writer.add_scalar("Loss/train", w, step)
    writer.add_scalar("Loss/val", score(w), step)
"""


@needs_sandbox
def test_a_script_that_writes_event_files_becomes_a_study_and_its_trials_score(tmp_path):
    from novum.arenas.program import trial as worker
    from novum.arenas.program.arena import ProgramArena
    from novum.core.model.candidate import Candidate
    from novum.core.model.trial import Limits, Trial, TrialGroup

    (tmp_path / "runs/1").mkdir(parents=True)
    (tmp_path / "runs/1/events.out.tfevents.1.old").write_bytes(b"an older run")
    result, program = adopted(tmp_path, EVENTS)
    assert program["report"] == {"file": "runs/*/events.out.tfevents.*", "key": "Loss/val", "take": "last"}
    assert "train.py: score" in program["protect"]["functions"]
    arena = ProgramArena(load_study(str(tmp_path)).study.options)
    group = TrialGroup("g", Candidate({}), (Trial("g.0", 1),), arena.options, limits=Limits(seconds=30.0))
    (output,) = worker.run(group)
    assert output.artefact
    assert 0 < arena.score(group, group.trials[0], output.artefact).value < 1
    assert result.value < 1


@needs_sandbox
def test_trackers_are_offline_in_the_first_run_and_in_the_study(tmp_path):
    text = "# import wandb\nimport os\nprint('val loss', 0.5 + len(os.environ['WANDB_MODE']))\n"
    _, program = adopted(tmp_path, text)
    assert program["environment"] == {"WANDB_MODE": "offline"}
    assert "# guess: trackers" in (tmp_path / "study.toml").read_text()

"""Declared inputs make a program study; what lies about in its directory neither stops it nor gets into it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import programs
import pytest

from novum import Budget
from novum.arenas.program import study_files
from novum.arenas.program.bundle import unpacked
from novum.core.model.errors import LabMismatch, StudyError
from novum.lab.session import session
from novum.studies.load import load_study

EVERYWHERE = {"solver.py", "main.py", "prepare.py", "score.py", "study.toml"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    programs.write_program(tmp_path / "guess")
    (tmp_path / "guess/study.toml").write_text(programs.STUDY)
    return tmp_path / "guess"


def read(place: Path) -> tuple[set[str], tuple[str, ...]]:
    """What belongs to the study, and what was left out in words."""
    file = load_study(str(place))
    bundle = unpacked(str(file.study.options["bundle"]))
    return {*bundle.shown, *bundle.kept}, file.left_out


def run(place: Path, lab: Path, trials: int = 4) -> None:
    with session(replace(load_study(str(place)).study, executor="inline"), Budget(trials=trials), lab) as opened:
        opened.run()


LEFTOVERS = (
    "nohup.out",
    "solver.py~",
    "answer.json",
    "hint.json",
    "target.json",
    ".solver.py.swp",
    "#main.py#",
    "x.orig",
    "core",
)
BELONGS = ("train.csv", "helpers/__init__.py", "core/__init__.py", "labs/__init__.py", "venv.py", "notes.md")


@pytest.mark.parametrize("name", LEFTOVERS)
def test_leftovers_and_what_the_program_writes_do_not_belong(place, name):
    (place / name).write_text("{}")
    assert read(place) == (EVERYWHERE, ())


@pytest.mark.parametrize("name", BELONGS)
def test_what_may_matter_belongs(place, name):
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_text("")
    assert read(place) == (EVERYWHERE | {name}, ())


@pytest.mark.parametrize("mark", ["lab.db", "pyvenv.cfg"])
def test_labs_and_environments_are_known_by_what_is_in_them(place, mark):
    folder = place / "out"
    folder.mkdir()
    (folder / mark).touch()
    (folder / "lab.key").write_text("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\n-----END PRIVATE KEY-----\n")
    assert read(place) == (EVERYWHERE, ())


def test_a_lab_within_the_study_goes_on(place):
    run(place, place / "out")
    run(place, place / "out", trials=6)


def test_what_is_left_out_and_might_be_missed_is_named(place):
    (place / ".env").write_text("TOKEN=1")
    (place / "weights.bin").write_bytes(bytes(5 << 20))
    os.mkfifo(place / "pipe")
    Path(os.fsencode(place).decode(), os.fsdecode(b"caf\xe9.txt")).touch()
    belongs, left_out = read(place)
    assert belongs == EVERYWHERE
    assert sorted(one.partition(":")[0] for one in left_out) == [r"'caf\udce9.txt'", ".env", "pipe", "weights.bin"]


def test_what_a_program_names_belongs_however_it_is_called(place, monkeypatch):
    monkeypatch.setattr(study_files, "LARGE", 5000)
    (place / "main.py").write_text(programs.MAIN + "\n# .config.json, weights.bin\n")
    (place / ".config.json").write_text("{}")
    (place / "weights.bin").write_bytes(bytes(6000))
    assert read(place) == (EVERYWHERE | {".config.json", "weights.bin"}, ())


def test_links_within_the_study_are_followed_and_not_in_a_circle(place):
    (place / "package").mkdir()
    (place / "package/core.py").write_text("X = 1\n")
    (place / "linked.py").symlink_to("package/core.py")
    (place / "alias").symlink_to("package")
    (place / "package/again").symlink_to("..")
    assert read(place) == (EVERYWHERE | {"package/core.py", "linked.py", "alias/core.py"}, ())


def test_a_link_that_leads_out_is_refused_where_it_is_needed_and_named_where_not(place, tmp_path):
    (tmp_path / "helper.py").write_text("X = 1\n")
    (place / "helper.py").symlink_to(tmp_path / "helper.py")
    (place / "gone").symlink_to(tmp_path / "nowhere")
    belongs, left_out = read(place)
    assert belongs == EVERYWHERE
    assert [one.partition(":")[0] for one in left_out] == ["gone", "helper.py"]
    (place / "main.py").write_text(f"import helper\n{programs.MAIN}")
    with pytest.raises(StudyError, match=r"helper\.py: is a link that leads out .* program\.data"):
        read(place)


def test_what_the_table_ignores_does_not_belong(place):
    (place / "runs").mkdir()
    (place / "runs/1.csv").write_text("1")
    (place / "study.toml").write_text(programs.STUDY.replace("editable", 'ignore = ["runs"]\neditable'))
    assert read(place) == (EVERYWHERE, ())


@pytest.mark.parametrize("change", ["new", "changed", "gone"])
def test_what_nobody_names_may_change_during_a_campaign(place, tmp_path, change):
    (place / "notes.md").write_text("before")
    run(place, tmp_path / "lab")
    if change == "new":
        (place / "todo.md").write_text("x")
    elif change == "changed":
        (place / "notes.md").write_text("after")
    else:
        (place / "notes.md").unlink()
    text = (place / "study.toml").read_text()
    (place / "study.toml").write_text(f"# a remark\n{text}")
    run(place, tmp_path / "lab", trials=6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("solver.py", "solver.py has changed"),
        ("main.py", "main.py has changed"),
        ("score.py", "score.py has changed"),
        ("table.csv", "table.csv has changed"),
        ("study.toml", r"program\.resolution was 0\.01 and is 0\.02"),
    ],
)
def test_a_change_of_rules_is_refused_by_name(place, tmp_path, name, words):
    (place / "main.py").write_text(f"{programs.MAIN}\n# reads table.csv\n")
    (place / "table.csv").write_text("1")
    run(place, tmp_path / "lab")
    text = (place / name).read_text()
    (place / name).write_text(
        text.replace("resolution = 0.01", "resolution = 0.02", 1) if "toml" in name else f"{text}\n"
    )
    with pytest.raises(LabMismatch, match=words) as refused:
        run(place, tmp_path / "lab", trials=6)
    assert "choose another --lab" in str(refused.value)
    assert len(str(refused.value)) < 500
    assert not refused.value.unscored


def test_a_lab_in_which_nothing_was_scored_is_kept_and_begun_anew(place, tmp_path, novum):
    good = (place / "main.py").read_text()
    (place / "main.py").write_text("import nothing_of_this_name\n")
    words = ("run", place, "--budget", "16 trials", "--workers", "1", "--force", "--lab", tmp_path / "lab", "--plain")
    assert "nothing_of_this_name" in novum(*words).err
    (place / "main.py").write_text(good)
    said = novum(*words)
    assert said.status == 0
    assert "main.py has changed" in said.err
    assert (tmp_path / "lab.unscored-1/lab.db").exists()

"""From what an agent left to a candidate, and every way in which that cannot be one."""

from __future__ import annotations

import json
import os

import programs
import pytest
from agent_labs import opened, program_study

from novum.agents import sandbox_main
from novum.agents.agent_task import AgentFailed, Edit
from novum.agents.diff_view import difference, summary
from novum.agents.lab_follower import LabFollower
from novum.agents.parse_edit import named, read
from novum.agents.parse_proposal import NO_REASON, idea
from novum.agents.sandbox_main import Comparison
from novum.agents.workspace import make_workspace
from novum.core.model.candidate import Candidate
from novum.core.state.study_views.researcher_view import view_of
from novum.lab import wiring

BETTER = programs.SOLVER.replace("STEP = 0.5", "STEP = 2.0")


class Case:
    def __init__(self, lab):
        self.state = LabFollower(lab).state
        self.arena = wiring.arena(self.state.study)
        self.made = make_workspace(view_of(self.state, self.arena, 1))

    def idea(self, files, **more):
        return idea(Edit(0, files, **more), self.made, self.state, self.arena)

    def refused(self, files, **more) -> str:
        with pytest.raises(AgentFailed) as caught:
            self.idea(files, **more)
        return str(caught.value)


@pytest.fixture
def program(guess) -> Case:
    return Case(guess)


@pytest.fixture
def genes(coins) -> Case:
    return Case(coins)


def test_a_changed_file_is_a_candidate(program):
    said = json.dumps({"rationale": "larger", "probability": 0.7, "effect": 0.5, "more": [1]})
    found = program.idea({"solver.py": BETTER, "proposal.json": said, "BRIEF.md": "scribbled on"})
    assert found.candidate == Candidate({"solver.py": BETTER})
    assert (found.rationale, found.probability, found.effect, found.notes) == ("larger", 0.7, 0.5, ())
    assert summary(program.arena.space, program.made, found.candidate.genome) == "solver.py: 1 line changed"
    shown = difference(program.arena.space, program.made, found.candidate.genome)
    assert "-STEP = 0.5" in shown and "+STEP = 2.0" in shown


@pytest.mark.parametrize("said", [
    "", "{", "[]", "[" * 100_000, '{"probability": NaN}', '{"probability": 7, "effect": "x"}',
    '{"rationale": 3, "effect": 1e999}', "x" * 300_000,
])  # fmt: skip
def test_a_prediction_that_makes_no_sense_costs_the_prediction_alone(program, said):
    found = program.idea({"solver.py": BETTER, "proposal.json": said})
    assert (found.rationale, found.probability, found.effect) == (NO_REASON, 0.1, 0.0)


def test_what_is_no_part_of_a_candidate_is_named_and_nothing_proposed(program):
    said = program.refused({"solver.py": BETTER, "notes.md": "x", "src/deep/\x1b[31mhelper.py": "x", "../up": "y"})
    assert "../up, notes.md, src/deep/helper.py" in said and "only solver.py may change" in said
    assert "\x1b" not in said
    assert "solver.py (a link)" in program.refused({}, refused={"solver.py": "a link"})
    assert "deleted files of the program: solver.py" in program.refused({}, deleted=("solver.py",))
    assert "changed nothing" in program.refused({})
    assert "changed nothing" in program.refused({"solver.py": programs.SOLVER + "# a comment\n"})
    assert "solver.py:1" in program.refused({"solver.py": "def solve(seed:\n"})
    assert "NUL" in program.refused({"solver.py": "x = '\0'"})
    assert "allowed" in program.refused({"solver.py": "# " + "x" * 1_100_000})


def test_new_files_where_the_study_allows_them(tmp_path):
    study = program_study(tmp_path, creatable=["lib"])
    with opened(study, tmp_path / "lab"):
        pass
    case = Case(tmp_path / "lab")
    assert "New files may be made in `lib/`" in case.made.brief
    found = case.idea({"solver.py": BETTER + "from lib import more\n", "lib/more.py": "X = 1\n"})
    assert set(found.candidate.genome) == {"solver.py", "lib/more.py"}
    assert "lib/more.py" in summary(case.arena.space, case.made, found.candidate.genome)
    assert "lib/\ufffd" not in case.refused({"solver.py": BETTER, "lib/\udcff.py": "X = 1\n"})
    assert "files be made in lib" in case.refused({"elsewhere.py": "X = 1\n"})


def test_genes_come_by_the_form(genes):
    start = dict(genes.made.start)
    metal = 5 if start["metal"] != 5 else 4
    fresh = {**start, "metal": metal, "shade": 61}
    found = genes.idea(
        {"proposal.json": json.dumps({"genome": {"metal": str(metal), "shade": 61}, "rationale": "why"})}
    )
    assert dict(found.candidate.genome) == fresh
    assert "metal" in summary(genes.arena.space, genes.made, found.candidate.genome)
    assert f"shade: {start['shade']} -> 61" in difference(genes.arena.space, genes.made, found.candidate.genome)


def test_genes_that_are_none(genes):
    def refused(value):
        return genes.refused({"proposal.json": value if isinstance(value, str) else json.dumps(value)})

    assert "did not fill in proposal.json" in genes.refused({})
    assert "no JSON" in refused("{")
    assert "genome: must be an object" in refused({"rationale": "x"})
    assert "no gene 'mettle'" in refused({"genome": {"mettle": 1}})
    assert "cannot be" in refused({"genome": {"metal": 99}})
    assert "changed nothing" in refused({"genome": dict(genes.made.start), "rationale": "x"})
    assert "only proposal.json counts" in genes.refused({"proposal.json": "{}", "notes.md": "x"})
    known = next(
        one for one in genes.state.hypotheses.values() if one.registered.incumbent == genes.state.incumbent.candidate.id
    )
    assert "was tried" in refused({"genome": dict(known.candidate.genome)})


def artefact(**changes) -> bytes:
    return json.dumps({"status": 0, "files": {}, "deleted": [], "refused": {}, "left_out": [], **changes}).encode()


@pytest.mark.parametrize("data", [
    b"", b"[]", b"\xff", b"{}", b"[" * 50_000, artefact(status=float("inf")), artefact(status=True),
    artefact(status="0"),
    artefact(files={"a": 1}), artefact(files=[1]), artefact(deleted=3), artefact(refused=[["a"]]),
    artefact(left_out=None),
    artefact(files={str(n): "" for n in range(9000)}),
])  # fmt: skip
def test_an_artefact_is_not_believed(data):
    with pytest.raises(AgentFailed):
        read(data)
    assert read(artefact()).files == {}


def test_names_for_people():
    assert named(["b\n\x1b[2Jc", "a"]) == "a, b c"
    assert named([f"f{n:02}" for n in range(20)]).endswith("and 12 more")


def compared(place, before=()):
    return Comparison(place, {name: text.encode() for name, text in dict(before).items()}).found()


def test_the_comparison_sees_what_changed(tmp_path):
    before = {"same.py": "x", "changed.py": "x", "gone.py": "x", ".kept/config": "x", "pkg/__pycache__/odd.py": "x"}
    for name, text in before.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "changed.py").write_text("y")
    (tmp_path / "gone.py").unlink()
    (tmp_path / ".kept" / "config").write_text("y")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "one.py").write_text("ü")
    for name in (".git/HEAD", "__pycache__/a.pyc", "node_modules/x/y.js", ".aider.history", ".kept/other", "pkg/b.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("z")
    found = compared(tmp_path, before)
    assert found["files"] == {"changed.py": "y", ".kept/config": "y", "new/one.py": "ü", ".kept/other": "z"}
    assert found["deleted"] == ["gone.py"] and not found["refused"]
    assert set(found["left_out"]) == {".git", "__pycache__", "node_modules", ".aider.history", "pkg/b.pyc"}


def test_the_comparison_follows_nothing_and_reads_no_more_than_it_may(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_main, "MOST_BYTES", 1000)
    monkeypatch.setattr(sandbox_main, "MOST_FILES", 12)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    study = tmp_path / "study"
    study.mkdir()
    (study / "link").symlink_to(outside / "secret")
    (study / "folder").symlink_to(outside)
    os.mkfifo(study / "pipe")
    (study / "binary").write_bytes(b"\xff\xfe")
    (study / "big").write_text("x" * 1001)
    (study / "fits").write_text("x" * 900)
    (study / "too").write_text("x" * 900)
    found = compared(study)
    assert found["files"] == {"fits": "x" * 900}
    assert set(found["refused"]) == {"link", "folder", "pipe", "binary", "big", "too"}
    assert found["refused"]["link"] == "a link" and "UTF-8" in found["refused"]["binary"]
    for number in range(50):
        (study / f"z{number:02}").write_text("")
    found = compared(study)
    assert len(found["files"]) + len(found["refused"]) <= 13


def test_predictions_that_are_null_are_as_if_left_out(program, genes):
    said = {"rationale": None, "probability": None, "effect": None}
    found = program.idea({"solver.py": BETTER, "proposal.json": json.dumps(said)})
    assert (found.rationale, found.probability, found.effect, found.notes) == (NO_REASON, 0.1, 0.0, ())
    chosen = genes.idea({"proposal.json": json.dumps({"genome": {"metal": 3, "edge": None}, **said})})
    assert chosen.candidate.genome["metal"] == 3 and chosen.notes == ()


@pytest.mark.parametrize("text", [
    '\ufeff{"genome": {"metal": 3,}, "rationale": "two\nlines", "probability": .4,}',
    'Filled in:\n```json\n{"genome": {"metal": 3}, "rationale": "two lines", "probability": 0.4}\n```\n',
    '{"genome": {"metal": 1}}\n{"genome": {"metal": 3}, "rationale": "two lines", "probability": 0.4}',
])  # fmt: skip
def test_a_form_that_a_person_could_read_is_read(genes, text):
    found = genes.idea({"proposal.json": text})
    assert (found.candidate.genome["metal"], found.probability, found.notes) == (3, 0.4, ())
    assert found.rationale.split() == ["two", "lines"]
    assert "a comma or } must stand" in genes.refused({"proposal.json": '{"genome": {"metal": 3} "rationale": "x"}'})

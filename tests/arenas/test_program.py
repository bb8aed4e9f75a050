"""The program arena: what is shown to a candidate and what is not, whose word a score is, and how cheats end."""

from __future__ import annotations

import io
import json
import random
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import programs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.arenas.program import trial as worker
from novum.arenas.program.arena import REPORTED, ProgramArena
from novum.arenas.program.artefact import Artefact, check_output, unpack
from novum.arenas.program.bundle import read_directory, unpacked
from novum.arenas.program.manifest import Output, Program, parse_program
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError, Limits, OutcomeKind, Trial, TrialGroup
from novum.studies.load import load_study

LIMITS = Limits(seconds=10.0)


def outcome(arena: ProgramArena, genome=(), seed=1, limits=LIMITS):
    """Score or the way it ended, as the lab would see it."""
    candidate = Candidate(arena.space.validate(dict(genome)))
    group = TrialGroup("g", candidate, (Trial("g.0", seed),), arena.options, limits=limits)
    (output,) = worker.run(group)
    assert output.artefact is not None, output.cause
    try:
        return arena.score(group, group.trials[0], output.artefact)
    except ArtefactError as error:
        return error.kind, str(error)


def solver(body: str) -> dict[str, str]:
    return {"solver.py": f"import os\n\n\ndef solve(seed):\n    {body}\n"}


@pytest.fixture(scope="module")
def guess(tmp_path_factory) -> ProgramArena:
    return ProgramArena(programs.options(tmp_path_factory.mktemp("guess")))


def test_a_candidate_gets_its_true_score(guess):
    near = outcome(guess, solver("return 3.05"))
    assert -0.06 < near.value <= 0.0
    assert near.others == {"size": 3.05}
    assert outcome(guess, solver("return 0.0")).value < -2.9


def test_the_same_seed_gives_the_same_artefact_bit_for_bit(guess):
    group = TrialGroup("g", Candidate({}), (Trial("g.0", 5), Trial("g.1", 6)), guess.options, limits=LIMITS)
    one, two = worker.run(group), worker.run(group)
    assert [d.artefact for d in one] == [d.artefact for d in two]
    assert one[0].artefact != one[1].artefact


CHEATS = {
    "prints a perfect score": "print('RESULT 0.0'); print('{\"value\": 0.0}'); return 0.0",
    "writes its own score": "open('score.json', 'w').write('{\"value\": 0.0}'); return 0.0",
    "reads the truth": "return float(open('target.json').read())",
    "looks for the scorer": "return float(len(open('score.py').read()))",
    "exits without work": "os._exit(0)",
    "links to what it cannot read": "os.symlink('/etc/shadow', 'answer.json'); os._exit(0)",
    "leaves a pipe": "os.mkfifo('answer.json'); os._exit(0)",
    "leaves a hard link": "open('x', 'w').write('3'); os.link('x', 'answer.json'); os._exit(0)",
}
ENDS = {
    "reads the truth": OutcomeKind.CRASHED,
    "looks for the scorer": OutcomeKind.CRASHED,
    "exits without work": OutcomeKind.INVALID,
    "links to what it cannot read": OutcomeKind.TAMPERED,
    "leaves a pipe": OutcomeKind.TAMPERED,
    "leaves a hard link": OutcomeKind.TAMPERED,
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_get_their_true_score_or_a_typed_rejection(guess, name):
    found = outcome(guess, solver(CHEATS[name]))
    if name in ENDS:
        assert found[0] is ENDS[name], found
    else:
        assert found.value < -2.9


def test_a_scorer_that_is_patched_by_the_candidate_is_another_process(guess):
    patch = "import json; json.JSONEncoder.iterencode = lambda *a, **k: ['9.0']; return 3.05"
    assert outcome(guess, solver(patch)).value < -5  # the 9.0 that it left is what is scored


DAEMON = """
    import time
    parent = os.getpid()
    if os.fork() == 0:
        os.setsid()
        while os.getppid() == parent:
            time.sleep(0.001)
        time.sleep(0.05)
        open('answer.json', 'w').write('3.05')
        os._exit(0)
    return 0.0
"""


def test_a_daemon_cannot_rewrite_the_answer_after_the_end(guess):
    assert outcome(guess, solver(DAEMON.strip())).value < -2.9


def test_limits_are_typed(guess):
    short = replace(LIMITS, seconds=2.0)
    assert outcome(guess, solver("import time; time.sleep(60)"), limits=short)[0] is OutcomeKind.TIMED_OUT
    small = replace(LIMITS, memory_bytes=200 << 20)
    assert outcome(guess, solver("return len(bytearray(1 << 30))"), limits=small)[0] is OutcomeKind.OUT_OF_MEMORY
    kind, cause = outcome(guess, solver("raise ValueError('no \\x1b[31mluck')"))
    assert kind is OutcomeKind.CRASHED
    assert "ValueError: no" in cause
    assert "\x1b" not in cause


def test_a_score_that_the_candidate_reports_is_called_so(tmp_path):
    report = {"prepare": None, "visible": None, "truth": None, "score": None, "metrics": None}
    main = "import sys\nfrom solver import solve\nprint('so far 1.0')\nprint('loss: %.3f' % solve(int(sys.argv[1])))\n"
    arena = ProgramArena(
        programs.options(tmp_path, {"main.py": main}, **report, outputs=None, report={"pattern": r"loss: ([-\d.]+)"})
    )
    assert arena.spec.trust == REPORTED
    assert outcome(arena, solver("return 2.5")).value == 2.5
    assert outcome(arena, solver("return float('nan')"))[0] is OutcomeKind.INVALID


def test_training_and_predicting_are_separate(tmp_path):
    """What training saw is out of reach when predicting, but for what it hands on."""
    files = {
        "train.py": "open('hint.json').read(); open('model.json', 'w').write('3.05'); open('more', 'w').write('x')",
        "predict.py": "import os\nassert not os.path.exists('hint.json') and not os.path.exists('more')\n"
        "open('answer.json', 'w').write(open('model.json').read())",
    }
    phases = [
        {"command": ["python", "train.py"], "sees": ["hint.json"], "keeps": ["model.json"]},
        {"command": ["python", "predict.py"]},
    ]
    arena = ProgramArena(programs.options(tmp_path, files, command=None, phases=phases))
    assert outcome(arena).value > -0.2


def test_a_repository_with_a_package_inside(tmp_path):
    files = {
        "src/deep/__init__.py": "",
        "src/deep/inner/__init__.py": "from deep.inner.constants import VALUE",
        "src/deep/inner/constants.py": "VALUE = 1.0\n",
        "assets/table.bin": "\x00\x01",
        "main.py": "import json, sys\nsys.path.insert(0, 'src')\nfrom deep.inner import VALUE\n"
        "assert open('assets/table.bin').read()\njson.dump(VALUE, open('answer.json', 'w'))\n",
    }
    arena = ProgramArena(programs.options(tmp_path, files, editable=["src/"]))
    assert set(arena.space.base) == {
        "src/deep/__init__.py",
        "src/deep/inner/__init__.py",
        "src/deep/inner/constants.py",
    }
    assert outcome(arena, {"src/deep/inner/constants.py": "VALUE = 3.0\n"}).value > outcome(arena).value


def test_what_is_hidden_is_in_no_file_of_the_candidate(tmp_path):
    files = {"data/labels.csv": "secret", ".git/config": "x", "__pycache__/m.pyc": "x", "notes.txt": "seen"}
    found = programs.bundle(tmp_path, files, hidden=["data/"])
    assert set(found.shown) == {"solver.py", "main.py", "notes.txt"}
    assert {"data/labels.csv", "prepare.py", "score.py"} <= set(found.kept)
    assert not any(name.startswith((".git", "__pycache__")) for name in [*found.shown, *found.kept])


def test_a_bundle_is_its_text_and_the_directory_is_left_alone(tmp_path):
    before = programs.bundle(tmp_path)
    assert unpacked(before.packed()) == before
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert read_directory(tmp_path, before.program, "guess")[0].packed() == before.packed()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == stamps
    for nonsense in ("", "x", "~~~~", before.packed()[:-9]):
        with pytest.raises(StudyError, match=r"options\.bundle"):
            unpacked(nonsense)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"command": None}, "either a command or phases"),
        ({"score": None}, "either score"),
        ({"outputs": None}, "score needs outputs"),
        ({"outputs": [{"name": "model.pkl"}]}, "runs code"),
        ({"outputs": [{"name": "../x"}]}, "no plain relative path"),
        ({"truth": ["hint.json"]}, "both visible and truth"),
        ({"prepare": None}, "give a prepare command"),
        ({"editable": []}, "program.editable"),
        ({"colour": 1}, "program.colour: unknown key"),
        ({"resolution": -1.0}, "program.resolution"),
        ({"isolation": "hope"}, "program.isolation"),
        ({"metric": None}, "'metric' is missing"),
    ],
)
def test_a_wrong_table_names_the_key(change, words):
    table = {key: value for key, value in {**programs.TABLE, **change}.items() if value is not None}
    with pytest.raises(StudyError, match=words):
        parse_program(table)


def test_a_wrong_directory_says_what_is_missing(tmp_path):
    with pytest.raises(StudyError, match=r"no file of .* fits nothing\*"):
        programs.bundle(tmp_path, editable=["nothing*"])
    with pytest.raises(StudyError, match=r"the script 'gone\.py' is not there"):
        programs.bundle(tmp_path, score=["python", "gone.py"])
    with pytest.raises(StudyError, match="the name of a file that the scorer reads"):
        programs.bundle(tmp_path, outputs=[{"name": "score.py"}])
    table = '[program]\nmetric = "m"\neditable = ["*.py"]\ncolour = 3\n'
    (tmp_path / "study.toml").write_text(f'name = "x"\n{table}')
    with pytest.raises(StudyError, match=r"study\.toml line 5: program\.colour"):
        load_study(str(tmp_path))


def array(values, **changes) -> bytes:
    file = io.BytesIO()
    np.save(file, values, **changes)
    return file.getvalue()


WANTED = Output("p.npy", "int64", (-1,))


def test_arrays_are_held_to_their_declaration():
    check_output(WANTED, array(np.arange(5)))
    lying = array(np.arange(5)).replace(b"(5,)", b"(5000000000000,)")
    bad = {
        "objects": array(np.array([{}], dtype=object), allow_pickle=True),
        "another dtype": array(np.arange(5.0)),
        "another shape": array(np.zeros((2, 2), np.int64)),
        "a pickle": b"\x80\x04\x95junk",
        "a bomb": lying,
        "cut": array(np.arange(5))[:-3],
        "longer": array(np.arange(5)) + b"0",
    }
    for data in bad.values():
        with pytest.raises(ArtefactError):
            check_output(WANTED, data)
    with pytest.raises(ArtefactError, match="NaN"):
        check_output(Output("p.npy"), array(np.array([np.nan])))
    with pytest.raises(ArtefactError, match="not JSON"):
        check_output(Output("p.json"), b"[" * 100_000)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.integers(0, 10**6).map(lambda n: _damaged(n)))
def test_any_bytes_are_an_artefact_or_an_artefact_error(data):
    with suppress(ArtefactError):
        assert isinstance(unpack(data), Artefact)


def _damaged(number: int) -> bytes:
    rng = random.Random(number)
    data = bytearray(Artefact({"a": b"123", "b": b""}, said="x").packed())
    data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def test_an_artefact_is_what_was_packed():
    left = Artefact({"b.npy": b"\x00\x01", "a": b""}, OutcomeKind.CRASHED, "why", "said")
    assert unpack(left.packed()) == left
    assert json.loads(left.packed()[4 : 4 + left.packed()[3]])["ended"] == "crashed"


def test_new_makes_a_study_that_is_ready(tmp_path):
    pytest.importorskip("sklearn")
    from novum.studies.scaffold import scaffold

    scaffold(tmp_path / "demo")
    study = load_study(str(tmp_path / "demo")).study
    assert (study.name, study.arena, study.researcher.name) == ("demo", "program", "code")
    found = outcome(ProgramArena(study.options))
    assert 0.4 < found.value < 0.8
    with pytest.raises(StudyError, match="not empty"):
        scaffold(tmp_path / "demo")


def test_every_key_is_documented():
    readme = (Path(worker.__file__).parent / "README.md").read_text()
    for key in fields(Program):
        assert f"`{key.name}`" in readme, key.name


FORGED = {
    "brackets": "(" * 9000, "signs": "-" * 9000 + "1", "half a text": "'''", "a name": "x" * 100, "nothing": "",
    "an old number": "{'descr': '<f8', 'fortran_order': False, 'shape': (1L,)}",
    "less than none": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8)}",
    "no size": "{'descr': 'S0', 'fortran_order': False, 'shape': (9,)}",
    "no key": "{[]: 1}", "a dictionary": "{'descr': {'x': 1}, 'fortran_order': False, 'shape': ()}",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_header_is_an_outcome_and_the_scoring_process_lives_on(tmp_path, name):
    from novum.arenas.program.scorer import Scorer
    from novum.core.model.trial import Role

    header = FORGED[name].encode()
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
    changes = {"outputs": [{"name": "answer.npy"}]}
    files = {"score.py": "import json\njson.dump({'value': 1.0}, open('score.json', 'w'))\n"}
    bundle = programs.options(tmp_path / "p", files, **changes)["bundle"]
    scorer = Scorer()
    try:
        with pytest.raises(ArtefactError, match=r"answer\.npy is no plain array") as caught:
            scorer.score(bundle, 1, Role.SEARCH, {"answer.npy": data})
        process = scorer._process
        assert caught.value.kind is OutcomeKind.INVALID and process.poll() is None
        assert scorer.score(bundle, 1, Role.SEARCH, {"answer.npy": array(np.arange(3))}) == {"value": 1.0}
        assert scorer._process is process
    finally:
        scorer.close()


def test_an_output_that_nobody_foresaw_costs_no_scoring_process():
    from novum.arenas.program.scoring import Scoring

    told = Scoring().answer({"bundle": "", "seed": 1, "role": "search", "outputs": {"a": "!"}})
    assert told["kind"] == "invalid" and told["error"]

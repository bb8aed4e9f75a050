"""What finished labs of an earlier version say today, word for word.

`labs/` holds labs that an earlier version wrote, `expected/` what the command line said about them. After an intended
change of words `python tests/golden/capture.py` takes the new ones over, and the difference is seen in the git diff.

What must vary is masked by `normalised`:

* Notes of `replay` about the machine and the versions, and its note about the arena's code. The code hash covers the
  files of the arena's package, so it differs as soon as one of them is changed or moved. `replay` then refuses with
  exit status 2 unless it is told `--anyway`, which adds that note: so it is always told, and the note is left out.
  `verify` does not look at the code hash at all; it says the same with any version of the code that scores alike.
* The version of novum, where a table says who wrote it.
* Sizes in bytes of files that hold such notes or compressed data (packs, reports).
* Whether a trained network came out bit for bit or close to it, which the processor decides.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import html
import io
import json
import os
import re
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
import typer.main
from tests.support.archives import unpack

HERE = Path(__file__).parent
LABS, EXPECTED = HERE / "labs", HERE / "expected"
WORLD = {
    "COLUMNS": "120",
    "LINES": "40",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "TZ": "UTC",
    "LOGNAME": "golden",
    "OMP_NUM_THREADS": "1",
}
WHOLE = "coins"
LONGEST = 4000
"""Characters beyond which only the digest of an output is kept, but for texts about the lab that is kept whole."""

Command = list[str]

_ALL: dict[str, Command] = {
    "status": ["status"],
    "findings": ["findings"],
    "failures": ["failures"],
    "league": ["league"],
    "verify": ["verify"],
    "log": ["log"],
    "diff": ["diff", "baseline", "incumbent"],
}
"""Asked of every lab."""

_MORE: dict[str, Command] = {
    "interventions": ["interventions"],
    "inbox": ["inbox"],
    "inbox-full": ["inbox", "--full"],
    "anchor": ["anchor"],
    "gc": ["gc"],
    "explain": ["explain"],
    "failures-group": ["failures", "--group"],
    "lineage-incumbent": ["lineage", "incumbent"],
}
"""Asked of the labs of `_FULLY`, in which there is something to see of each."""

_FULLY = {"coins", "people"}
"""Labs that are asked everything, much of it for JSON as well."""

_ABOUT: dict[str, dict[str, list[str]]] = {
    "coins": {"show": ["h3", "h12", "h21", "h32"], "look": ["g3.0", "g9.1"]},
    "recall": {"show": ["h1", "h7"], "look": ["g3.0"]},
    "digits": {"show": ["h4", "h11"], "look": ["g3.0"]},
    "program": {"show": ["h4", "h17"], "look": ["g32.0"]},
    "killed": {"show": ["h3", "h13", "h14"], "look": ["g3.0"]},
    "people": {"show": ["h2", "h9", "h46", "h24"], "look": ["g3.0"]},
}
"""Hypotheses (a finding first, others, the refuted one last) and trials of each lab."""

_NEEDS = {"recall": ["torch"]}


def _cases() -> Iterator[tuple[str, str, list[Command]]]:
    """Lab, name of the case, and the commands whose outputs it holds."""
    for lab, about in _ABOUT.items():
        fully, finding, last = lab in _FULLY, about["show"][0], about["show"][-1]
        questions = {**_ALL, **(_MORE if fully else {})}
        for name in about["show"]:
            questions |= {f"show-{name}": ["show", name], f"explain-{name}": ["explain", name]}
        questions |= {f"show-{name}": ["show", name] for name in about["look"]}
        questions |= {"diff-finding": ["diff", finding, last], f"lineage-{last}": ["lineage", last]}
        questions |= {f"log-grep-{last}": ["log", "--grep", last]}
        for name, words in questions.items():
            command = [*words, "--lab", "lab"]
            both = lab == WHOLE or name in _MORE
            yield lab, name, [command, [*command, "--json"]] if both else [command]
        yield lab, "log-event", [["log", "--lab", "lab", "--event", "2"]]
        yield lab, "unknown", [["show", "h9999", "--lab", "lab"], ["apply", "h9999", "--lab", "lab"]]
        yield lab, "report", [["report", "--lab", "lab", "-o", "report.html"]]
        yield lab, "csv", [["export", "--lab", "lab", "--csv", "tables"]]
        yield lab, "pack", [["export", finding, "--lab", "lab", "-o", "pack.zip"], ["verify", "pack.zip"]]
        if lab == "coins":
            yield lab, "lineage-dot", [["lineage", finding, "--lab", "lab", "--dot"]]
        if lab in ("coins", "recall"):
            again = ["replay", finding, "--lab", "lab", "--trials", "6", "--workers", "1", "--anyway"]
            yield lab, "replay", [again, [*again, "--json"]] if lab == WHOLE else [[*again, "--json"]]
        if lab == "program":
            yield lab, "apply", [["apply", finding, "--lab", "lab"]]


CASES = {f"{lab}/{name}": commands for lab, name, commands in _cases()}


def unpacked(name: str, place: Path) -> Path:
    """A lab of `labs/` as the directory `lab` in a place."""
    with tarfile.open(LABS / f"{name}.tar.gz") as archive:
        unpack(archive, place)
    return place


@contextmanager
def standing(place: Path) -> Iterator[None]:
    """In a directory, and in the world in which the outputs were taken."""
    before, where = {name: os.environ.get(name) for name in (*WORLD, "NOVUM_LAB")}, Path.cwd()
    os.environ.update(WORLD)
    os.environ.pop("NOVUM_LAB", None)
    time.tzset()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(where)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        time.tzset()


_built = functools.cache(typer.main.get_command)
"""The commands of the application, which take long to put together, once for all calls in this process."""


def said(*words: str) -> tuple[int, str, str]:
    """Exit status, output and errors of one command, run by its entry point in this process."""
    from novum.cli.app import main

    arguments, status = sys.argv, 0
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    sys.argv = ["novum", *words]
    try:
        with mock.patch("typer.main.get_command", _built), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.argv = arguments
    return status, *(stream.buffer.getvalue().decode() for stream in (out, err))


def outcome(case: str, place: Path) -> str:
    """All that the commands of a case say in a directory with the lab, and what they write, as it is kept."""
    lab, _, name = case.partition("/")
    parts: list[str] = []
    with standing(place):
        for words in CASES[case]:
            status, out, err = said(*words)
            parts += [f"$ novum {' '.join(words)}", kept(normalised(out, lab, name), lab)]
            parts += [f"--- errors\n{normalised(err, lab, name).rstrip()}"] if err.strip() else []
            parts += [f"--- exit status {status}", ""]
        parts += [kept(text, lab) for text in _written(name)]
    return "\n".join(parts) + "\n"


def kept(text: str, lab: str) -> str:
    """A text as it is kept: the whole of it, or its digest where it is long."""
    text = "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")
    if len(text) <= LONGEST or (lab == WHOLE and not text.startswith(("{", "["))):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[:200]}\n... {len(text)} characters in {len(text.splitlines())} lines, sha256 {digest}"


def _written(name: str) -> Iterator[str]:
    """What a case has left in the directory where it ran."""
    if name == "csv":
        for path in sorted(Path("tables").rglob("*")):
            if path.is_file():
                yield f"=== {path}\n{normalised(path.read_text(), '', name)}"
    elif name == "report":
        yield f"=== report.html\n{seen(Path('report.html').read_text())}"
    elif name == "pack" and Path("pack.zip").exists():
        with zipfile.ZipFile("pack.zip") as archive:
            yield "\n".join(["=== pack.zip", *sorted(archive.namelist())])


def seen(page: str) -> str:
    """The text that a reader of a page sees, a line for each element."""
    page = re.sub(r"(?s)<(script|style|title)\b.*?</\1>", "", page)
    lines = (" ".join(html.unescape(line).split()) for line in re.sub(r"(?s)<[^>]*>", "\n", page).split("\n"))
    return "\n".join(line for line in lines if line)


_NOTES = re.compile(r"recorded with .*, here |^the code of the arena here is not ")


def normalised(text: str, lab: str, name: str) -> str:
    """An output without what must vary."""
    if name == "replay":
        return _replayed(text, trained=lab == "recall")
    text = re.sub(r"\bnovum \d+\.\d+\.\d+\w*", "novum VERSION", text)
    return re.sub(r'(\d+)( bytes\b)|("bytes": )\d+', r"\3N\2", text) if name in ("pack", "report") else text


def _replayed(text: str, *, trained: bool) -> str:
    """A replay without its notes; of networks, only that each trial came out again."""
    if text.startswith("{"):
        found = json.loads(text)
        found["notes"] = [note for note in found["notes"] if not _NOTES.search(note)]
        for one in found["trials"] if trained else ():
            near = one["how"] in ("identical", "close")
            one |= {"how": "again", "now": one["recorded"], "words": ""} if near else {}
        return json.dumps(found, indent=1)
    lines = [line for line in text.split("\n") if not _NOTES.search(line.removeprefix("note: "))]
    return "\n".join(lines)


def expected_file(case: str) -> Path:
    """Where what a case should say is kept."""
    return EXPECTED / f"{case}.txt"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """The directory with a lab, unpacked at its first use."""
    found: dict[str, Path] = {}

    def place(lab: str) -> Path:
        if lab not in found:
            found[lab] = unpacked(lab, tmp_path_factory.mktemp(lab))
        return found[lab]

    return place


@pytest.mark.parametrize("case", CASES)
def test_a_lab_of_an_earlier_version_is_told_in_the_same_words(case, places):
    lab, _, name = case.partition("/")
    if name == "replay":
        for module in _NEEDS.get(lab, ()):
            pytest.importorskip(module)
    wanted, found = expected_file(case).read_text(encoding="utf-8"), outcome(case, places(lab))
    if found != wanted:
        lines = difflib.unified_diff(wanted.splitlines(), found.splitlines(), "expected", "found", lineterm="", n=2)
        pytest.fail(f"{case}: after an intended change run capture.py\n" + "\n".join([*lines][:200]), pytrace=False)


def test_nothing_is_expected_of_what_is_not_asked():
    kept = {path.relative_to(EXPECTED).with_suffix("").as_posix() for path in EXPECTED.rglob("*.txt")}
    assert kept == set(CASES)

"""Mistakes end in one clear line and status 2, at once, and write nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from novum.core.model.request import Act
from novum.governance.mailbox import Mailbox

LONG = "x" * 300
BYTES = "x\udcff"
"""A name as Python tells one that is no UTF-8."""

LABS = ["missing", "directory", "empty", "damaged", "folder", "file"]
READING = [
    ["status"], ["findings"], ["inbox"], ["pause"], ["resume"], ["stop"], ["log"], ["show", "h1"], ["report"],
    ["verify"], ["propose", "spin=1"], ["approve", "a1"], ["export", "--csv", "out"], ["failures"], ["explain"],
    ["league"], ["gc"], ["anchor"], ["interventions"], ["lineage", "h1"], ["diff", "h1", "baseline"], ["replay", "h1"],
    ["apply", "h1"],
]  # fmt: skip


def no_lab(place: Path, kind: str) -> Path:
    lab = place / "lab"
    if kind not in ("missing", "file"):
        lab.mkdir()
    if kind == "file":
        lab.write_text("x")
    elif kind == "folder":
        (lab / "lab.db").mkdir()
    elif kind in ("empty", "damaged"):
        (lab / "lab.db").write_text("junk" if kind == "damaged" else "")
    return lab


def content(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("act", ["pause", "resume", "stop"])
def test_what_is_no_lab_is_asked_for_nothing(refused, tmp_path, kind, act):
    lab = no_lab(tmp_path, kind)
    before = content(tmp_path)
    assert refused(act, "--lab", lab) == refused("status", "--lab", lab)
    assert content(tmp_path) == before


def test_a_lab_that_does_not_run_has_nothing_to_stop(refused, ended):
    assert "there is nothing to stop" in refused("stop", "--lab", ended)
    assert not Mailbox(ended).waiting()


def test_a_lab_is_asked(novum, coins, tmp_path):
    lab = Path(shutil.copytree(coins, tmp_path / "lab"))
    assert novum("pause", "--lab", lab).status == 0
    assert [one.act for one in Mailbox(lab).waiting()] == [Act.PAUSE]


@pytest.mark.parametrize("command", READING, ids=lambda words: words[0])
def test_names_that_are_too_long_are_told(refused, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert LONG in refused(*command, "--lab", LONG)
    assert content(tmp_path) == []


@pytest.mark.parametrize(
    "command",
    [
        ["verify", LONG],
        ["replay", LONG],
        ["run", LONG],
        ["report", "-o", LONG],
        ["export", "h1", "-o", LONG],
        ["new", LONG],
    ],
    ids=lambda words: words[0],
)
def test_so_are_others(refused, ended, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    more = [] if command[0] in ("run", "new") else ["--lab", ended]
    assert LONG in refused(*command, *more)


@pytest.mark.parametrize("command", [["report"], ["export", "h1"], ["apply", "h1"], ["league"]], ids=lambda c: c[0])
@pytest.mark.parametrize("output", [".", "", "..", "folder", "/"])
def test_a_directory_is_no_file_to_write(refused, ended, tmp_path, monkeypatch, command, output):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    assert "give the name of a file" in refused(*command, "-o", output, "--lab", ended)
    assert content(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    "command",
    [["export", BYTES, "-o", "z.zip"],
     ["export", "h1", "-o", BYTES], ["show", BYTES], ["verify", BYTES], ["run", BYTES],
     ["propose", f"{BYTES}=1"], ["propose", "spin=1", "-m", BYTES], ["log", "--grep", BYTES], ["new", BYTES],
     ["anchor", "--check", BYTES], ["agent", "--", BYTES]],
    ids=lambda words: words[0],
)  # fmt: skip
def test_bytes_that_are_no_text_are_told(refused, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    said = refused(*command)
    assert "is not UTF-8 text" in said and said.isascii()
    assert content(tmp_path) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--probability", value) for value in ("nan", "2", "-1", "inf")]
    + [("--effect", value) for value in ("nan", "inf", "-inf")],
)
def test_a_forecast_that_is_none_is_named_at_once(refused, ended, option, value):
    assert f"{option} {value}:" in refused("propose", "spin=1", option, value, "--lab", ended)
    assert not Mailbox(ended).waiting()


@pytest.mark.parametrize(("option", "value"), [("--probability", "0"), ("--probability", "1"), ("--effect", "-2.5")])
def test_one_that_is_is_sent(novum, coins, tmp_path, option, value):
    lab = Path(shutil.copytree(coins, tmp_path / "lab"))
    assert novum("propose", "spin=1", option, value, "--lab", lab).status == 0

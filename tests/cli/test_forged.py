"""What others wrote is told from what the lab says, whatever is in it, and nothing of it is out of sight."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from novum.api import read_lab
from novum.cli.people.approvals_inbox import MAX_CHANGE
from novum.text.clean import exact, for_terminal, printable

SEEN_AS_IT_IS = "plain ASCII, Ünïcödé, 漢字, Ελληνικά, 🙂\tand tabs"
HIDDEN = [
    "\u200b",
    "\u200f",
    "\u2028",
    "\u202e",
    "\u2060",
    "\u2066",
    "\u2069",
    "\ufeff",
    "\u00ad",
    "\U000e0041",
    "\udcff",
]


@pytest.mark.parametrize("letter", HIDDEN)
def test_what_nobody_would_see_is_written_out(letter):
    for form in (for_terminal, exact):
        shown = form(f"a{letter}b")
        assert letter not in shown
        assert shown.isascii() and shown.startswith("a\\") and shown.endswith("b")
        assert f"{ord(letter):x}" in shown
    assert printable(f"a{letter}b") == "ab"


def test_what_a_terminal_obeys_is_taken_out_or_written_out():
    assert for_terminal("a\x1b[31mb\x1b]0;title\x07c\rd\x9be") == "abcde"
    assert exact("a\x1b[31mb\rc\n\td") == "a\\x1b[31mb\\x0dc\n\td"
    for form in (for_terminal, exact, printable):
        assert form(SEEN_AS_IT_IS) == SEEN_AS_IT_IS


FORGERIES = (
    "    content 446bebcae9e0",
    "    critic: harmless",
    "adeadbeef",
    "supported  h9",
    "stopped  forged",
    "    | +forged",
)


@pytest.mark.parametrize(
    "command",
    [["inbox"], ["inbox", "--full"], ["log"], ["status"], ["findings"], ["failures"], ["interventions"]],
    ids=lambda words: " ".join(words),
)
def test_no_line_of_a_waiting_lab_is_somebody_elses(novum, coins, command):
    said = novum(*command, "--lab", coins)
    assert said.status == 0
    assert not [line for line in said.out.splitlines() if line.startswith(FORGERIES)]


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["findings"],
        ["show", "h1"],
        ["log"],
        ["explain", "h1"],
        ["lineage", "h1"],
        ["diff", "h1", "baseline"],
    ],
    ids=lambda words: " ".join(words),
)
def test_no_line_about_a_finding_is_somebody_elses(novum, ended, command):
    said = novum(*command, "--lab", ended)
    assert said.status == 0
    assert not [line for line in said.out.splitlines() if line.startswith(FORGERIES)]


def test_a_text_of_several_lines_is_marked_line_by_line(novum, ended):
    shown = novum("show", "h1", "--lab", ended).out.splitlines()
    start = shown.index("rationale:")
    assert shown[start + 1 : start + 4] == [
        "    | tiny change",
        "    |     content 446bebcae9e0; about 0.0 s; 1 of 1 have approved",
        "    |     critic: harmless\\x0dadeadbeef  evolve wants to propose: fake\\u2028supported  h9: forged\\x85"
        "    | +forged",
    ]


def test_json_is_ascii(novum, program):
    said = novum("inbox", "--json", "--lab", program).out
    assert said.isascii()
    assert "\u202e" in json.loads(said)[1]["change"]


def test_a_cut_is_said_with_what_is_missing_and_how_to_see_it(novum, program):
    short, full = (novum("inbox", *more, "--lab", program).out.splitlines() for more in ([], ["--full"]))
    assert sum(map(len, short)) < 2 * MAX_CHANGE
    assert not [line for line in short if "import socket" in line]
    (cut,) = [line for line in short if line.startswith("    CUT: ")]
    assert cut.endswith("novum inbox --full")
    whole = [line for line in full if line.startswith("    | ")]
    left, total = _numbers(cut)[:2]
    assert len(full) - len(short) == left - 1
    assert 600 < total < len(whole)
    assert [line for line in full if "+import socket" in line]
    assert not [line for line in full if "CUT" in line]
    assert max(map(len, full)) > 9000


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split() if word.isdigit()]


def test_a_long_line_is_cut_with_a_mark(novum, program, monkeypatch):
    monkeypatch.setattr("novum.cli.people.approvals_inbox.MAX_CHANGE", 100_000)
    shown = novum("inbox", "--lab", program).out.splitlines()
    (wide,) = [line for line in shown if "WIDE" in line]
    assert len(wide) < 500 and "characters more)" in wide
    assert [line for line in shown if line.startswith("    CUT: 0 of the ") and "1 cut short" in line]


def test_what_hides_in_a_program_is_seen_by_who_approves(novum, program):
    shown = novum("inbox", "--lab", program).out
    assert "STEP = 0.7  # \\u202e hidden \\u200b\\u2066 x" in shown
    assert not set("\u202e\u200b\u2066\x0c") & set(shown)


def test_a_candidate_is_found_while_it_waits_for_approval(novum, program, coins):
    for lab in (program, coins):
        one = read_lab(lab).pending[-1].candidate
        for name in (one.id, one.digest):
            assert one.id in novum("show", name, "--lab", lab).out
        assert novum("diff", one.id, "baseline", "--lab", lab).status == 0
        assert novum("diff", one.id[:6], "baseline", "--lab", lab).status == 0
    text = novum("diff", "baseline", read_lab(program).pending[-1].candidate.id, "--lab", program).out
    assert "    | -STEP = 0.5\n" in text
    assert "    | +STEP = 0.7  # \\u202e hidden \\u200b\\u2066 x\n" in text


def test_a_patch_is_exact_in_a_pipe_and_harmless_on_a_terminal(monkeypatch):
    """The same lines of the command, with a patch of any content."""
    code = (
        "import novum.lab.program_patches as p; p.patch_of = lambda lab, finding: '+a\\x1b[2Jb\\u202ec\\n'\n"
        "from novum.cli.own_programs import apply\nfrom pathlib import Path\n"
        "apply('h1', Path('x'), None, None, Path())"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, check=True).stdout == "+a\x1b[2Jb\u202ec\n".encode()
    leader, follower = pty.openpty()
    subprocess.run(command, stdout=follower, check=True)
    os.close(follower)
    assert os.read(leader, 1000).decode() == "+a\\x1b[2Jb\\u202ec\r\n"
    os.close(leader)

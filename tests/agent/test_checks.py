"""What a person may ask for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from novum.agents.agent_options import author_of, check_command, check_lab, environment_of, readable_of, search_path
from novum.core.model.errors import UserError


@pytest.fixture
def home(tmp_path, monkeypatch):
    place = tmp_path / "home"
    for name in (".ssh", ".config/gh", "tools/bin", "labs/one"):
        (place / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(place))
    return place


def test_names():
    assert author_of(None, ("/opt/x/codex-cli", "exec")) == "agent:codex-cli"
    assert author_of(None, ("/opt/x/ödd name!",)) == "agent:dd-name"
    assert author_of(None, ("/x/!",)) == "agent:agent"
    assert author_of("Alice's bot"[:5], ("x",)) == "agent:Alice"
    for bad in ("", "a\nb", "x" * 41, "-x", "a/b", "agent:x"):
        with pytest.raises(UserError, match="--as"):
            author_of(bad, ("x",))


def test_variables_without_secrets(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "abcdef-123456")
    given = ["A=1", "MODE=fast=er", "MAX_TOKENS=4096", "USE_KEYRING=false", "EMPTY="]
    assert environment_of(given) == {
        "A": "1",
        "MODE": "fast=er",
        "MAX_TOKENS": "4096",
        "USE_KEYRING": "false",
        "EMPTY": "",
    }
    secrets = [
        "OPENAI_API_KEY=x",
        "X=sk-" + "a" * 30,
        "Y=abcdef-123456",
        "DB_PASSWORD=pw",
        "A_SECRET=s",
        "Z=Bearer " + "b" * 20,
    ]
    for bad in secrets:
        with pytest.raises(UserError, match="--gateway") as caught:
            environment_of([bad])
        assert bad.partition("=")[2] not in str(caught.value) or len(bad.partition("=")[2]) < 3
    for bad in ("A", "=1", "1A=x", "A B=x", "A=\0"):
        with pytest.raises(UserError, match="NAME=VALUE"):
            environment_of([bad])


def test_directories_that_may_be_shown(home):
    lab = home / "labs" / "one"
    assert readable_of([home / "tools"], lab) == (home / "tools",)
    (home / "link").symlink_to(home / "tools")
    assert readable_of([home / "link"], lab) == (home / "link", home / "tools")
    assert search_path((home / "tools",)).startswith(f"{home}/tools/bin:{home}/tools:")


@pytest.mark.parametrize("name", [
    "", "..", ".ssh", ".config", ".config/gh", "labs", "labs/one", "labs/one/blobs", "none", "sly", "other", "talks",
    "talks/pipe",
])  # fmt: skip
def test_directories_that_may_not(home, name):
    lab = home / "labs" / "one"
    (lab / "blobs").mkdir()
    (home / "sly").symlink_to(home / ".ssh")
    (home / "other" / "deep").mkdir(parents=True)
    (home / "other" / "deep" / "lab.secret").write_text("x")
    (home / "talks").mkdir()
    os.mkfifo(home / "talks" / "pipe")
    with pytest.raises(UserError, match="--readable"):
        readable_of([home / name], lab)


@pytest.mark.parametrize(
    "place", ["/", "/etc", "/home", "/root", "/tmp", "/var", "/proc/1", "/run", "/sys", "/dev/shm"]
)
def test_directories_that_show_too_much(place, home):
    if Path(place).exists():
        with pytest.raises(UserError, match="--readable"):
            readable_of([Path(place)], home / "labs" / "one")


def test_commands_that_can_be_found(home):
    program = home / "tools" / "bin" / "helper"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    shown = (home / "tools",)
    check_command(("python", "-c", "x"), (), {})
    check_command(("python", str(program), "x"), shown, {})
    check_command(("sh",), (), {})
    check_command(("/bin/sh",), (), {})
    check_command((sys.executable,), (), {})
    check_command(("helper",), shown, {})
    check_command((str(program),), shown, {})
    for words, readable, said in [
        ((str(program),), (), f"--readable with the directory in which it is installed, such as {home}/tools"),
        (("./helper",), shown, "full path"),
        (("no-such-program",), shown, "no program"),
        (("helper",), (), "no program"),
        (("/no/such/program",), (), "no program"),
        (("python", str(program)), (), "--readable with the directory"),
        (("python", "helper.py"), shown, "full path"),
    ]:
        with pytest.raises(UserError, match=said.replace(".", r"\.")):
            check_command(words, readable, {})


def test_no_secret_in_the_command(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "abcdef-123456")
    for word in ("--key=abcdef-123456", "sk-" + "a" * 30):
        with pytest.raises(UserError, match="--gateway") as caught:
            check_command(("cat", word), (), {})
        assert word not in str(caught.value)


def test_a_program_on_the_users_path_is_pointed_out(home, monkeypatch):
    program = home / "tools" / "bin" / "helper"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (home / "bin").mkdir()
    (home / "bin" / "helper").symlink_to(program)
    monkeypatch.setenv("PATH", f"{home}/bin:/usr/bin:/bin")
    with pytest.raises(UserError, match="such as"):
        check_command(("helper",), (), {})
    with pytest.raises(UserError, match=f"{home}/tools"):
        check_command(("helper",), (home / "bin",), {})  # the link is shown, what it leads to is not
    check_command(("helper",), (home / "bin", home / "tools"), {})


def test_a_lab_in_sight_of_every_sandbox_is_refused(tmp_path):
    check_lab(tmp_path)
    with pytest.raises(UserError, match="move it elsewhere"):
        check_lab(Path(sys.prefix) / "labs" / "x")

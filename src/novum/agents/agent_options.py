"""What a person may ask for: a name, variables, directories to show, a command that can be found in the sandbox."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from novum.core.model.errors import UserError
from novum.ledger.lab_secret import NAME as SECRET
from novum.researchers.language.untrusted_text import line, without_secrets
from novum.sandbox.visible.visible_paths import interpreter_directories, system_directories

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"-?[0-9.]*|true|false|yes|no|on|off", re.IGNORECASE)
_TOO_WIDE = ("/", "/boot", "/etc", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/tmp", "/var")
_NEVER = ("/dev", "/proc", "/run", "/sys", "/var/run")
_SECRET_PLACES = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".npmrc", ".pypirc", ".git-credentials",
    ".password-store", ".claude", ".claude.json", ".codex", ".gemini", ".mozilla", ".thunderbird", ".vault-token",
    ".bash_history", ".zsh_history", ".config/gcloud", ".config/gh", ".config/op", ".config/rclone",
    ".config/google-chrome", ".config/chromium", ".local/share/keyrings", "Library/Keychains",
)  # fmt: skip
_PROGRAMS = ("bin", "node_modules/.bin", "")
"""Where a directory that is shown may hold programs."""

_LOOKED_AT = 300_000


def author_of(name: str | None, command: tuple[str, ...]) -> str:
    """How requests are signed: agent:NAME. Raises UserError."""
    if name is None:
        name = re.sub(r"[^A-Za-z0-9._@+-]", "-", Path(command[0]).name).strip("-._@+")[:40] or "agent"
    if not _NAME.fullmatch(name):
        raise UserError(f"--as {line(name, 60)!r}: a name has up to 40 letters, digits and . _ @ + -")
    return f"agent:{name}"


def environment_of(given: Iterable[str]) -> dict[str, str]:
    """Variables for the sandbox. Raises UserError for what is none, or looks like a secret."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not _VARIABLE.fullmatch(name) or "\0" in value:
            raise UserError(f"--env {_harmless(name)!r}: write NAME=VALUE")
        if _secret(name, value):
            raise UserError(
                f"--env {name}: this looks like a secret, and secrets never enter the sandbox: let the agent reach its "
                "model through --gateway URL --key-from VARIABLE, which keeps the key outside"
            )
        found[name] = value
    return found


def _secret(name: str, value: str) -> bool:
    """By the name, unless the value is a mere number or switch, or by the value."""
    if without_secrets(value) != value:
        return True
    probe = "x" * 16
    return without_secrets(probe, {name: probe}) != probe and not _PLAIN.fullmatch(value)


def _harmless(text: str) -> str:
    return line(without_secrets(text), 60)


def readable_of(given: Iterable[Path], lab: Path) -> tuple[Path, ...]:
    """Directories to show, with what they link to. Raises UserError for what nobody in a sandbox should see."""
    home, found = Path.home(), list[Path]()
    for path in given:
        real = path.resolve()
        if not real.exists():
            raise UserError(f"--readable {path}: there is no such directory")
        if why := _hidden(real, lab.resolve(), home.resolve()):
            raise UserError(f"--readable {path}: {why}; show the one directory in which the tool is installed")
        plain = Path(os.path.abspath(path))  # noqa: PTH100 links must stay: the tool may be called by this name
        found += [one for one in dict.fromkeys((plain, real)) if one not in found]
    return tuple(found)


def _hidden(path: Path, lab: Path, home: Path) -> str:
    """Why a directory is not shown, or nothing."""
    if not (path.is_dir() or path.is_file()):
        return "it is neither a directory nor a file"
    if path.is_relative_to(lab) or lab.is_relative_to(path):
        return f"it holds or is held by the lab {lab}, whose secret nobody in a sandbox may read"
    if home.is_relative_to(path):
        return "it holds your home directory"
    if str(path) in _TOO_WIDE or any(path.is_relative_to(one) for one in _NEVER):
        return "that shows far more than a tool"
    for place in (home / one for one in _SECRET_PLACES):
        if path.is_relative_to(place) or (place.is_relative_to(path) and place.exists()):
            return f"your secrets are in {place}"
    return next(filter(None, map(_telling, islice(_entries(path), _LOOKED_AT))), "")


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a directory, links not followed."""
    folders = [str(path)] if path.is_dir() else []
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def _telling(entry: os.DirEntry[str]) -> str:
    """What makes an entry one that is not shown, or nothing. A socket would be a way out of the sandbox."""
    if entry.name == SECRET:
        return f"{entry.path} is the secret of a lab"
    plain = entry.is_symlink() or entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
    return "" if plain else f"{entry.path} is a socket, a pipe or a device"


def check_lab(lab: Path) -> None:
    """Raise UserError for a lab that lies where every sandbox can look."""
    for place in visible(()):
        if lab.resolve().is_relative_to(Path(place).resolve()):
            raise UserError(f"the lab {lab} lies in {place}, which every sandboxed program can read: move it elsewhere")


def visible(readable: tuple[Path, ...]) -> tuple[str, ...]:
    """Everything that is shown in the sandbox."""
    return (*system_directories(), *interpreter_directories(), *map(str, readable))


def search_path(readable: tuple[Path, ...]) -> str:
    """PATH in the sandbox: programs of what is shown come first."""
    shown = [str(one / place) for one in readable for place in _PROGRAMS if (one / place).is_dir()]
    return ":".join([*shown, str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])


def check_command(command: tuple[str, ...], readable: tuple[Path, ...], environment: Mapping[str, str]) -> None:
    """Raise UserError, which says what to do, for a secret, or for a program that the sandbox cannot find."""
    if any(without_secrets(word) != word for word in command):
        raise UserError(
            "the command holds what looks like a secret, and secrets never enter the sandbox: let the agent reach its "
            "model through --gateway URL --key-from VARIABLE, which keeps the key outside"
        )
    name = command[0]
    if name == "python":  # this interpreter, which is there; its program may not be
        scripts = [word for word in command[1:2] if not word.startswith("-")]
        for script in scripts:
            _check_place(script, script, readable)
        return
    found = name if "/" in name else shutil.which(name, path=environment.get("PATH", search_path(readable)))
    outside = found or shutil.which(name)
    if outside is None:
        raise UserError(f"there is no program {line(name, 80)!r} here")
    _check_place(name, outside, readable if found else None)


def _check_place(name: str, path: str, readable: tuple[Path, ...] | None) -> None:
    """Raise UserError for a file that is not shown, or links to one. None: nothing would show it by its mere name."""
    if not path.startswith("/"):
        raise UserError(f"{line(name, 80)}: give the program by its full path; it starts in another directory")
    if not Path(path).exists():
        raise UserError(f"there is no program {line(name, 80)!r} here")
    for one in (Path(path), Path(path).resolve()):
        if readable is None or not any(one.is_relative_to(place) for place in (*visible(readable), "/bin")):
            raise UserError(
                f"{line(name, 80)} is {one}, which is not shown in the sandbox: add --readable with the directory in "
                f"which it is installed, such as {one.parent.parent if one.parent.name == 'bin' else one.parent}"
            )

"""The configuration files that a Hydra script composes: those of its defaults list, each with the keys that it sets.

Read from the text alone, without Hydra: `@hydra.main(config_path="conf", config_name="config")`, the defaults list of
that file and of those that it names, and choices on the command line (`optim=adam`). What is made at run time, by
interpolation or in code, is not followed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import yaml

from novum.core.model.errors import StudyError
from novum.source.declared.literal_value import literal_value
from novum.source.declared.python_source import PythonSource, dotted, keyword
from novum.source.program_text import terminal

RUN_FOLDER = "hydra.run.dir"
_ENDINGS = (".yaml", ".yml")
_MOST = 200
_PACKAGE = re.compile(r"(?:\s*#[^\n]*\n)*?\s*#\s*@package\s+(\S+)")


@dataclass(frozen=True)
class HydraFiles:
    """What a script composes. packages: each file with the key under which its own keys go, "" for the top.

    They stand in the order in which they are merged: a later one sets again what an earlier one has set. used: whether
    Hydra is used at all.
    """

    packages: Mapping[str, str] = field(default_factory=dict)
    used: bool = False

    def key(self, path: str, place: str) -> str:
        """The key of a file's value in what is composed: `optim.lr` for `lr` in optim/sgd.yaml."""
        package = self.packages.get(path, "")
        return f"{package}.{place}" if package else place


def hydra_files(texts: Mapping[str, str], arguments: Sequence[str] = ()) -> HydraFiles:
    """The files that the scripts of a project compose. texts: its Python and YAML files by path."""
    found = _Composed(texts, _choices(arguments))
    used = False
    for path, text in texts.items():
        if path.endswith(".py") and "hydra" in text:
            for folder, name in _roots(path, text):
                used = True
                found.take(folder, name, "", "")
    return HydraFiles(found.packages, used)


def _roots(path: str, text: str) -> Iterator[tuple[str, str]]:
    """The folder and the name of each primary configuration that a script asks for; "" for what it leaves out."""
    try:
        source = PythonSource(text, path)
    except StudyError:
        return
    for call in source.calls():
        if dotted(call.func) == "hydra.main" or (terminal(call.func) == "main" and "from hydra import" in text):
            folder, name = (_text(call, place, key) for place, key in enumerate(("config_path", "config_name")))
            yield _joined(str(PurePosixPath(path).parent), folder), name


def _text(call: ast.Call, place: int, key: str) -> str:
    value = literal_value(keyword(call, key) or (call.args[place] if place < len(call.args) else None))
    return value if isinstance(value, str) else ""


def _choices(arguments: Sequence[str]) -> dict[str, str]:
    pairs = (word.lstrip("+").partition("=") for word in arguments if not word.startswith("-"))
    return {key: value for key, equals, value in pairs if equals}


def _joined(*parts: str) -> str:
    """A path without dots; the parts above the top are gone."""
    kept: list[str] = []
    for part in "/".join(parts).split("/"):
        if part == ".." and kept:
            kept.pop()
        elif part not in ("", ".", ".."):
            kept.append(part)
    return "/".join(kept)


@dataclass
class _Composed:
    texts: Mapping[str, str]
    choices: Mapping[str, str]
    packages: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, root: str, name: str, group: str, package: str) -> None:
        """A configuration of a group, and those that its defaults list names."""
        stem = _joined(root, group, name.removesuffix(".yaml").removesuffix(".yml"))
        path = next((stem + ending for ending in _ENDINGS if stem + ending in self.texts), "")
        if not path or path in self.seen or len(self.seen) >= _MOST:
            return
        if said := _PACKAGE.match(self.texts[path]):
            package = {"_global_": "", "_group_": group.replace("/", ".")}.get(said[1], said[1])
        self.seen.add(path)
        for entry in _defaults(self.texts[path]):
            if entry == "_self_":
                self.packages[path] = package
            else:
                self._take_entry(root, entry, group, package)
        self.packages.setdefault(path, package)

    def _take_entry(self, root: str, entry: object, group: str, package: str) -> None:
        if isinstance(entry, str):
            self._take_named(root, entry, group, package, "")
        elif isinstance(entry, dict):
            for key, chosen in entry.items():
                key = str(key)
                if key.startswith("override "):
                    continue  # it chooses for another file, mostly one of Hydra's own
                key = key.removeprefix("optional ").strip()
                wanted: object = self.choices.get(key, chosen)
                for one in wanted if isinstance(wanted, list) else [wanted]:
                    if isinstance(one, str) and "${" not in one:
                        self._take_named(root, one, group, package, key)

    def _take_named(self, root: str, name: str, group: str, package: str, key: str) -> None:
        """An entry such as `optim: sgd`, `optim@model.optim: sgd`, `/db: mysql`, or a file of the same folder."""
        key, _, wanted = key.partition("@")
        above = "" if key.startswith("/") or name.startswith("/") else group
        inner = _joined(above, key)
        if not wanted:
            under = ".".join(part for part in inner.split("/") if part) if key else package
        else:
            under = "" if wanted == "_global_" else f"{package}.{wanted}".lstrip(".")
        self.take(root, name.lstrip("/"), inner, under)


def _defaults(text: str) -> list[object]:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    found = value.get("defaults") if isinstance(value, dict) else None
    return list(found) if isinstance(found, list) else []

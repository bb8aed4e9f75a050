"""The file of a score by a name that every run has: what the time or a machine put into it becomes a glob."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from novum.arenas.program.logs.event_file import MARK, is_event_file
from novum.arenas.program.logs.wandb_file import is_wandb_file
from novum.sandbox.glob_files import fits_glob

_NUMBERS = re.compile(r"\d(?:[\d._:T-]*\d)?")


def stable_name(path: str, files: Iterable[str], texts: Mapping[str, str]) -> str:
    """The name of a file, or a glob that fits it and no other of `files` that may be meant.

    A part with digits that no text of the project holds is taken for one of this run alone: `runs/Nov29_10-00-00_host`
    becomes `runs/*`. Files of TensorBoard in one folder are one log.
    """
    folder, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
    parts = [] if folder == "." else [one if _is_known(one, texts) else "*" for one in folder.split("/")]
    if is_event_file(path):
        name = f"{name.partition(MARK)[0]}{MARK}*"
    elif is_wandb_file(path):
        name = "run-*.wandb"
    elif not _is_known(name, texts):
        name = re.sub(r"\*+", "*", _NUMBERS.sub("*", name))
    glob = "/".join([*parts, name])
    others = [one for one in files if one != path and fits_glob(one, glob)]
    alone = all(is_event_file(path) and str(PurePosixPath(one).parent) == folder for one in others)
    return glob if alone or is_event_file(path) else path


def _is_known(part: str, texts: Mapping[str, str]) -> bool:
    return not any(letter.isdigit() for letter in part) or any(part in text for text in texts.values())

"""`import novum` in a program that logs: a module with `novum.log` and nothing else, whatever interpreter runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import PurePosixPath

MODULE = "novum.py"
_IMPORTS = re.compile(rb"^[ \t]*(?:import[ \t]+novum\b|from[ \t]+novum[ \t]+import\b)", re.MULTILINE)


def with_log(files: Mapping[str, bytes], command: Sequence[str], packages: Sequence[str] = ()) -> dict[str, bytes]:
    """The files with the module beside the script of a command, where one of them imports novum.

    Nothing is added where a study shows Novum itself under `packages`, or where the program has a module of this name.
    """
    script = next((word for word in command[1:2] if word.endswith(".py")), "")
    path = str(PurePosixPath(script).parent / MODULE)
    logs = any(name.endswith(".py") and _IMPORTS.search(data) for name, data in files.items())
    if not logs or "novum" in packages or path in files or any(name.startswith("novum/") for name in files):
        return dict(files)
    return {**files, path: resources.files("novum").joinpath("training_log.py").read_bytes()}

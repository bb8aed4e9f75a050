"""The one run of a script that proves that it works here: behind the walls, with its lines noted."""

from __future__ import annotations

import ast
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from novum.adopt.project import Project
from novum.adopt.script_gpus import held_gpus
from novum.arenas.program import own_interpreter
from novum.arenas.program.log_module import with_log
from novum.arenas.program.run_stages import environment_of
from novum.arenas.program.seeding import seeded
from novum.core.model.errors import StudyError
from novum.sandbox import Bounds, Ended, Job, Tier, run, sandbox_status
from novum.sandbox.gpus.gpu_access import access_to
from novum.source.meaning import parsed
from novum.text.bounded_json import load_json

LINES = "novum_lines.json"
SEED = 1
_LARGEST = 32


@dataclass(frozen=True)
class Baseline:
    """How the run went: what it printed, what it took, the lines of each file that were run.

    files: the JSON files, tables and logs of trackers that it wrote, None for one that is too large to be looked at.
    """

    output: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    lines: Mapping[str, frozenset[int]]
    files: Mapping[str, bytes | None] = field(default_factory=dict)


def run_baseline(
    project: Project,
    command: tuple[str, ...],
    seed_place: str,
    seconds: float,
    hear: Callable[[bytes], None],
    gpus: int = 0,
) -> Baseline:
    """Run the script once, its lines noted, with so many GPUs to itself.

    Raises StudyError with the end of what it printed when it fails.
    """
    tier = sandbox_status().tier
    if tier is Tier.NONE:
        raise StudyError("there is no sandbox here, and a stranger's script is not run without one: see `novum doctor`")
    words = tuple(word.replace("{seed}", str(SEED)) for word in command)
    start = seeded(words, with_log(project.files, words), seed_place, SEED, LINES)
    own = project.python
    job = Job(
        (own, *start.words[1:]) if own else start.words,
        files=start.files,
        collect=(LINES,),
        limits=Bounds(seconds=seconds, cpu_seconds=seconds * 4, memory_bytes=_LARGEST << 30, processes=64,
                      file_bytes=1 << 30, disk_bytes=2 << 30),
        environment=environment_of(own, {**project.offline.environment, **start.environment}),
        readable=tuple(map(Path, own_interpreter.prefixes(own))) if own else (),
        packages=None if own else project.modules,
        hear=hear,
    )  # fmt: skip
    with held_gpus(gpus) as held:
        ended = run(replace(job, gpus=access_to(held)), tier)
    if ended.kind is not None and not _only_lines_miss(ended):
        raise StudyError(_failure(ended, project))
    noted = _noted(ended.artefacts.get(LINES, b"{}"))
    return Baseline(
        ended.stdout,
        ended.usage.wall_seconds,
        ended.usage.cpu_seconds,
        ended.usage.peak_bytes,
        _lines(noted.get("lines")),
        _files(noted.get("files")),
    )


def _only_lines_miss(ended: Ended) -> bool:
    return ended.status == 0 and set(ended.refused) <= {LINES}


def _failure(ended: Ended, project: Project) -> str:
    said = (ended.stderr or ended.stdout)[-1500:].strip()
    hint = ""
    if "No module named" in said:
        where = project.python or "the environment that Novum runs in"
        hint = f"\nthe script runs with {where}: install what is missing there, or name another one with --python"
    elif ended.limit == "seconds":
        hint = "\n--limit allows more (for example --limit 1h)"
    return f"{project.script} does not run here: {ended.cause}{hint}\n--- last output ---\n{said}"


def _noted(data: bytes) -> dict[str, Any]:
    try:
        found = load_json(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _lines(found: object) -> dict[str, frozenset[int]]:
    if not isinstance(found, dict):
        return {}
    return {
        str(path): frozenset(one for one in numbers if isinstance(one, int))
        for path, numbers in found.items()
        if isinstance(numbers, list)
    }


def _files(found: object) -> dict[str, bytes | None]:
    if not isinstance(found, dict):
        return {}
    return {path: _bytes(text) for path, text in found.items()}


def _bytes(text: object) -> bytes | None:
    """A file as the run noted it: as text, or its bytes in base 64."""
    try:
        if isinstance(text, dict):
            return base64.b64decode(text["base64"])
        return text.encode(errors="replace") if isinstance(text, str) else None
    except (KeyError, TypeError, ValueError):
        return None


def idle_lines(text: str, path: str, ran: frozenset[int]) -> tuple[str, ...]:
    """Lines of simple statements that were not run, as ranges: "12-18", "40"."""
    numbers: set[int] = set()
    try:
        tree = parsed(text, path)
    except StudyError:
        return ()
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.stmt)
            or hasattr(node, "body")
            or isinstance(node, ast.Global | ast.Nonlocal | ast.Pass)
        ):
            continue
        own = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        text_only = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not text_only and ran.isdisjoint(own):
            numbers |= set(own)
    return _ranges(sorted(numbers))


def _ranges(numbers: list[int]) -> tuple[str, ...]:
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return tuple(str(a) if a == b else f"{a}-{b}" for a, b in found)

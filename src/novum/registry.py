"""What a name in a study means: built in, `package.module:Class`, or an entry point of an installed package.

Entry point groups: `novum.arenas`, `novum.researchers`, `novum.executors`. A name that is built in stands for that and
for nothing else, whatever is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError, UserError
from novum.core.model.options import configured


class Kind(StrEnum):
    """What can be named in a study."""

    ARENA = "arena"
    RESEARCHER = "researcher"
    EXECUTOR = "executor"


BUILT_IN: Mapping[Kind, Mapping[str, str]] = {
    Kind.ARENA: {
        "adaptation": "novum.arenas.adaptation.arena:AdaptationArena",
        "coinflip": "novum.arenas.coinflip:CoinflipArena",
        "digits": "novum.arenas.digits.arena:DigitsArena",
        "local-learning": "novum.arenas.local_learning.arena:LocalLearningArena",
        "memory": "novum.arenas.memory.arena:MemoryArena",
        "optimisers": "novum.arenas.optimisers.arena:OptimisersArena",
        "program": "novum.arenas.program.arena:ProgramArena",
        "programs": "novum.arenas.programs.arena:ProgramsArena",
        "recall": "novum.arenas.recall.arena:RecallArena",
        "regret": "novum.arenas.regret.arena:RegretArena",
        "sequence": "novum.arenas.sequence.arena:SequenceArena",
    },
    Kind.RESEARCHER: {
        "archive": "novum.researchers.archive:ArchiveResearcher",
        "bayes": "novum.researchers.bayes:BayesResearcher",
        "bulk": "novum.researchers.bulk:BulkResearcher",
        "code": "novum.researchers.code:CodeResearcher",
        "evolve": "novum.researchers.evolve:EvolveResearcher",
        "inbox": "novum.researchers.inbox:InboxResearcher",
        "language": "novum.lab.model_researchers:language",
        "portfolio": "novum.lab.model_researchers:portfolio",
        "random": "novum.researchers.random:RandomResearcher",
    },
    Kind.EXECUTOR: {
        "inline": "novum.executors.inline:InlineExecutor",
        "local": "novum.executors.local.executor:LocalExecutor",
        "remote": "novum.executors.remote.remote_executor:RemoteExecutor",
        "slurm": "novum.executors.slurm.slurm_executor:SlurmExecutor",
        "ray": "novum.executors.ray_cluster.ray_executor:RayExecutor",
    },
}

POWERS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ARENA: ("spec", "space", "score", "cost"),
    Kind.RESEARCHER: ("propose",),
    Kind.EXECUTOR: ("slots", "submit", "collect"),
}
"""What a class must have before it is called: a record of somebody else's must not make Novum call just anything."""


_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
_PYTHONS_OWN = sys.stdlib_module_names | {"__main__", "test"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A name that can be used in a study."""

    kind: Kind
    name: str
    target: str
    """"module:attribute"."""
    origin: str
    """Built in, or who installed it."""


def known(kind: Kind) -> dict[str, Entry]:
    """All short names of a kind, built in or installed, by name."""
    found = {
        one.name: Entry(kind, one.name, one.value, _distribution(one)) for one in entry_points(group=f"novum.{kind}s")
    }
    return dict(sorted({**found, **{n: Entry(kind, n, t, "built in") for n, t in BUILT_IN[kind].items()}}.items()))


def find(kind: Kind, name: str, key: str) -> Callable[..., Any]:
    """What a name stands for, ready to be called. key: where it stands in the study. Raises StudyError."""
    entry = _entry(kind, name, key)
    module, _, attribute = entry.target.partition(":")
    if entry.origin != "built in":
        _check_path(kind, name, entry.target, key)
    target = getattr(_imported(module, name, key), attribute, None)
    if not callable(target):
        raise StudyError(f"{key}: there is no {attribute!r} in {module}")
    if inspect.isclass(target):
        there = set(dir(target)).union(*(inspect.get_annotations(one) for one in target.__mro__))
        missing = [power for power in POWERS[kind] if power not in there]
        if missing:
            raise StudyError(f"{key}: {name!r} is no {kind}: its class has no {missing[0]!r}")
    elif entry.origin != "built in":
        raise StudyError(f"{key}: {name!r} is no class: name the class of the {kind}")
    return target  # type: ignore[no-any-return]  # checked to be callable


def build(kind: Kind, name: str, options: Setting) -> Any:
    """What a name stands for, made from its options. Raises StudyError."""
    key = "options" if kind is Kind.ARENA else f"{kind}.options"
    return configured(find(kind, name, kind), options, f"the {kind} {name}", key)


def names(group: str) -> list[str]:
    """What an entry point group such as `novum.exports` has."""
    return sorted({one.name for one in entry_points(group=group)})


def plugin(group: str, name: str) -> Callable[..., Any] | None:
    """An entry point of a group, loaded; None where there is none of that name. The one from Novum goes before others.

    Raises UserError.
    """
    found = sorted(entry_points(group=group, name=name), key=lambda one: not one.value.startswith("novum."))
    if not found:
        return None
    try:
        return found[0].load()  # type: ignore[no-any-return]  # checked by whoever calls it
    except (ImportError, AttributeError) as error:
        raise UserError(f"{name!r} of {_distribution(found[0])} ({group}) cannot be loaded: {error}") from None


def plugins(group: str) -> dict[str, Callable[..., Any]]:
    """All entry points of a group that can be loaded, by name. Raises UserError."""
    return {name: found for name in names(group) if (found := plugin(group, name))}


def exists(kind: Kind, name: str) -> bool:
    """Whether a name stands for something that is here."""
    try:
        find(kind, name, kind)
    except StudyError:
        return False
    return True


def is_path(name: str) -> bool:
    """Whether a name is `package.module:Class` and not a short one."""
    return ":" in name


def make_importable(directory: Path) -> None:
    """Let modules beside a study file be found, here and in workers."""
    place = str(directory.resolve())
    if place not in sys.path:
        sys.path.insert(0, place)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if place not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([place, *filter(None, paths)])


def _check_path(kind: Kind, name: str, path: str, key: str) -> None:
    """A path must be one, and lead to what somebody wrote to be a part of a lab. Raises StudyError."""
    if not _PATH.fullmatch(path):
        raise StudyError(f"{key}: {name[:80]!r} is no path of a class: write package.module:Class")
    parts = path.partition(":")[0].split(".")
    if parts[0] in _PYTHONS_OWN or "__main__" in parts:  # a module of that name does something when it is imported
        raise StudyError(f"{key}: {name!r} is a part of Python, and no {kind}")


def _imported(module: str, name: str, key: str) -> object:
    """Raises StudyError, whatever a module does instead of being imported."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise StudyError(
            f"{key}: {name!r} cannot be imported ({error}); put its directory in PYTHONPATH, or beside the study file"
        ) from None
    except (Exception, SystemExit) as error:
        raise StudyError(f"{key}: {name!r} cannot be imported, it raises {type(error).__name__}: {error}") from error


def _entry(kind: Kind, name: str, key: str) -> Entry:
    if is_path(name):
        return Entry(kind, name, name, "by path")
    entries = known(kind)
    if name not in entries:
        raise StudyError(
            f"{key}: there is no {name!r}; choose from {', '.join(entries)}, or name a class of your own as "
            "package.module:Class"
        )
    return entries[name]


def _distribution(one: EntryPoint) -> str:
    return f"{one.dist.name} {one.dist.version}" if one.dist else "an installed package"

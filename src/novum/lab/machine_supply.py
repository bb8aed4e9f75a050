"""How machines come to a lab: where a person wants trials to run, how machines join, the token that lets them in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from novum import registry
from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.options import parse_options
from novum.core.model.ports import Executor, HasMachines
from novum.core.state.campaign_state import CampaignState
from novum.registry import Kind

TOKEN_VARIABLE = "NOVUM_TOKEN"


class SiteOptions(Protocol):
    """What the options of an executor say of it. listen: where the lab listens unless it is told, HOST:PORT."""

    @property
    def listen(self) -> str: ...


@runtime_checkable
class StartsMachines(Protocol):
    """What the class of an executor adds that starts its own machines: the type of its options, taken as `jobs`."""

    options: type[SiteOptions]


@dataclass(frozen=True)
class Machines:
    """Where trials run, whatever executor the study names. options: what a file says of the site."""

    executor: str
    options: Setting = field(default_factory=dict)


def read_machines(path: Path) -> Machines:
    """A machines file: one table, which names an executor, with its options. Raises StudyError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StudyError(f"--machines {path}: cannot be read: {reason}") from None
    if len(tables) != 1 or not isinstance(table := next(iter(tables.values())), dict):
        raise StudyError(f"--machines {path}: it must hold one table that names an executor, such as [slurm]")
    machines = Machines(next(iter(tables)), table)
    try:
        site(registry.find(Kind.EXECUTOR, machines.executor, "executor"), machines)
    except StudyError as error:
        raise StudyError(f"--machines {path}: {error}") from None
    return machines


def site(place: object, machines: Machines) -> Mapping[str, Any]:
    """What an executor that starts machines is called with beyond others: `jobs`, its options. Raises StudyError."""
    if isinstance(place, StartsMachines):
        name = machines.executor
        return {"jobs": parse_options(place.options, machines.options, f"the executor {name}", name)}
    if machines.options:
        raise StudyError(f"{machines.executor}: this executor takes no options")
    return {}


def joining(executor: Executor, directory: Path) -> list[str]:
    """What to do so that a machine joins; nothing where the executor needs none."""
    address = getattr(executor, "address", "")
    if not address:
        return []
    return [
        f"machines join at {address}: {TOKEN_VARIABLE}=$(novum machines --lab {directory} --token) there, then "
        f"novum worker --connect {address} --token-from {TOKEN_VARIABLE}"
    ]


def nobody_joined(executor: Executor, state: CampaignState) -> str:
    """That a session came to nothing since no machine joined it, in words; empty where that is not so."""
    if not isinstance(executor, HasMachines) or state.machines.known:
        return ""
    return f"no machine has joined at {getattr(executor, 'address', '')} in this session, so nothing could be run"

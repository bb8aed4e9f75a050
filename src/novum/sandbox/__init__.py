"""Foreign code behind walls: run a job, learn how it ended, and know how strong the walls are.

Everything is imported when it is asked for: workers need no more of this package than the list of processes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novum.sandbox.job import Bounds, Ended, Job, SandboxUnavailable, Tier
    from novum.sandbox.probe import SandboxStatus, require, sandbox_status
    from novum.sandbox.run_job import run

__all__ = ["Bounds", "Ended", "Job", "SandboxStatus", "SandboxUnavailable", "Tier", "require", "run", "sandbox_status"]

_HOMES = {
    "job": ("Bounds", "Ended", "Job", "SandboxUnavailable", "Tier"),
    "probe": ("SandboxStatus", "require", "sandbox_status"),
    "run_job": ("run",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

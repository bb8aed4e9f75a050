"""Where a session runs: code, packages, system, processor, threads, isolation. Trials refer to their session.

Novum's own code is hashed; where it runs from a git checkout, the commit and the uncommitted changes are kept as well.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import distributions

from novum.core.events.campaign import Provenance
from novum.core.model.ports import Arena, Blobs, HasData
from novum.executors.processor import processor
from novum.ledger.novum_code import PACKAGE, code_hash

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
GIT_SECONDS = 5.0


def provenance(arena: Arena, blobs: Blobs, isolation: str) -> Provenance:
    """What a result of this session may depend on. isolation: what stands between a trial and the machine."""
    model, flags = processor()
    commit, changes = _checkout()
    return Provenance(
        novum_code=code_hash(),
        git_commit=commit,
        git_changes=f"sha256:{blobs.put(changes)}" if changes else "",
        python=f"{platform.python_implementation()} {platform.python_version()} ({sys.executable and _build()})",
        system=platform.platform(),
        machine=platform.machine(),
        processor=model,
        processor_flags=flags,
        cores=os.cpu_count() or 0,
        threads={name: os.environ.get(name, "") for name in THREADS},
        isolation=isolation,
        data=dict(arena.data_hashes()) if isinstance(arena, HasData) else {},
        packages=_packages(),
    )


def _build() -> str:
    return " ".join(platform.python_build())


def _packages() -> dict[str, str]:
    """Installed distributions and their versions."""
    found = {one.metadata["Name"]: one.version for one in distributions() if one.metadata and one.metadata["Name"]}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _checkout() -> tuple[str, bytes]:
    """Commit and uncommitted changes of a git checkout that Novum runs from; empty for an installed package."""
    if not _git("ls-files", "--error-unmatch", "__init__.py"):
        return "", b""
    return _git("rev-parse", "HEAD").decode().strip(), _git("diff", "HEAD", "--", ".")


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(PACKAGE), *arguments], capture_output=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""

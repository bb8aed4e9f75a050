"""For authors of arenas, researchers and executors: contract suites, fault injection, a ledger in memory.

A suite is a pytest class that a test file derives from (see docs/guide.md):

    from novum.testing import ArenaContract

    class TestDarts(ArenaContract):
        arena = "darts:Darts"

Suites are loaded on first use, since they alone need pytest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novum.testing.arena_contract import ArenaContract
    from novum.testing.executor_contract import ExecutorContract
    from novum.testing.researcher_contract import ResearcherContract

_HOME = {
    "ArenaContract": "novum.testing.arena_contract",
    "ExecutorContract": "novum.testing.executor_contract",
    "ResearcherContract": "novum.testing.researcher_contract",
}

__all__ = ["ArenaContract", "ExecutorContract", "ResearcherContract"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'novum.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)

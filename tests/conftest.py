"""Which tests run by themselves: those that measure time, count processes or use both cores."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ALONE = (
    "agent/test_gateway.py",
    "benchmarks/test_crash.py",
    "e2e/",
    "executors/",
    "governance/test_mailbox.py",
    "researchers/test_language",
    "sandbox/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).as_posix().startswith(ALONE):
            item.add_marker(pytest.mark.alone)

"""Which tests run by themselves: those that measure time, count processes or use both cores. The secrets of labs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from novum.ledger import lab_secret

HERE = Path(__file__).parent
ALONE = (
    "agent/test_gateway.py",
    "benchmarks/test_crash.py",
    "e2e/",
    "executors/",
    "governance/test_mailbox.py",
    "researchers/test_language.py",
    "sandbox/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).as_posix().startswith(ALONE):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session", autouse=True)
def repeatable(tmp_path_factory):
    """Every lab a test makes has the secret that its place gives it, so that a campaign goes the same way each time."""
    base, created = tmp_path_factory.getbasetemp(), lab_secret.created

    def made(path: Path, content: bytes) -> bool:
        if path.is_relative_to(base):
            test, *places = path.relative_to(base).parts
            content = hashlib.sha256("/".join([test.rstrip("0123456789"), *places]).encode()).hexdigest().encode()
        return created(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_secret, "created", made)
        yield

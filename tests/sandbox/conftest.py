import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from novum.sandbox import Bounds, Ended, Job, SandboxUnavailable, Tier
from novum.sandbox import run as run_in
from novum.sandbox.tiers.unsafe import run_without_sandbox

sys.path.insert(0, str(Path(__file__).parent))

from targets import SMALL

collect_ignore = (
    [] if sys.platform.startswith("linux") else [path.name for path in Path(__file__).parent.glob("test_*")]
)


def _why_not(tier: Tier) -> str:
    try:
        ended = run_in(Job(("python", "-c", "pass")), tier)
    except SandboxUnavailable as error:
        return str(error)
    return "" if ended.kind is None else ended.cause


@pytest.fixture(scope="session")
def obstacles() -> dict[Tier, str]:
    """Why each tier cannot be entered here; empty when it can."""
    return {tier: _why_not(tier) for tier in (Tier.NAMESPACES, Tier.LANDLOCK)}


@pytest.fixture(params=[Tier.NAMESPACES, Tier.LANDLOCK, Tier.NONE], ids=str)
def tier(request, obstacles) -> Tier:
    if obstacles.get(request.param):
        pytest.skip(f"tier {request.param}: {obstacles[request.param]}")
    return request.param


@pytest.fixture
def namespaces(obstacles) -> Tier:
    if obstacles[Tier.NAMESPACES]:
        pytest.skip(obstacles[Tier.NAMESPACES])
    return Tier.NAMESPACES


@pytest.fixture
def play(tier):
    """Run Python source at each tier."""

    def run_source(source: str, limits: Bounds = SMALL, files=None, **more) -> Ended:
        job = Job(("python", "main.py"), {"main.py": source.encode(), **(files or {})}, limits=limits, **more)
        return run_without_sandbox(job) if tier is Tier.NONE else run_in(job, tier)

    return run_source


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from agent_labs import Agents, opened, program_study
from labs import coin_study

from novum.core.model.budget import Budget
from novum.lab.session import session
from novum.sandbox import Tier, sandbox_status


@pytest.fixture(scope="session")
def walls() -> Tier:
    """The tests around real sandboxes run at tier A only."""
    found = sandbox_status()
    if found.tier is not Tier.NAMESPACES:
        pytest.skip(f"no sandbox of tier namespaces here: {found.advice}")
    return found.tier


@pytest.fixture(scope="session")
def tool(tmp_path_factory) -> Path:
    """A directory with the scripted agents, installed as a tool would be."""
    place = tmp_path_factory.mktemp("tool")
    place.chmod(0o755)
    shutil.copy(Path(__file__).with_name("scripted_agents.py"), place / "agents.py")
    (place / "agents.py").chmod(0o644)
    return place


@pytest.fixture
def agents(walls, tool) -> Agents:
    return Agents(tool)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Path:
    """A lab about a program, which does not run. It is copied, not used."""
    place = tmp_path_factory.mktemp("fresh")
    with opened(program_study(place), place / "lab"):
        pass
    return place / "lab"


@pytest.fixture
def guess(fresh, tmp_path) -> Path:
    """A lab about a program of one's own, which does not run."""
    return Path(shutil.copytree(fresh, tmp_path / "lab"))


@pytest.fixture(scope="session")
def coins(tmp_path_factory) -> Path:
    """A lab about genes with some past, which does not run."""
    directory = tmp_path_factory.mktemp("coins") / "lab"
    with session(coin_study(), Budget(trials=400), directory) as lab:
        lab.run()
    return directory

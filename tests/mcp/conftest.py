from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from labs import coin_study

from novum.core.model.budget import Budget
from novum.lab.session import session


@pytest.fixture(scope="session")
def ended(tmp_path_factory) -> Path:
    """A lab with findings whose session has ended. It is copied, not used."""
    directory = tmp_path_factory.mktemp("ended") / "lab"
    with session(coin_study(), Budget(trials=400), directory) as lab:
        lab.run()
    return directory


@pytest.fixture
def quiet(ended, tmp_path) -> Path:
    """A lab of one's own, with findings, that does not run any more."""
    return Path(shutil.copytree(ended, tmp_path / "quiet"))

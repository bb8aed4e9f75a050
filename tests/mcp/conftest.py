from __future__ import annotations

from pathlib import Path

import pytest
from labs import coin_study

from novum import wiring
from novum.core.study import Budget


@pytest.fixture(scope="session")
def quiet(tmp_path_factory) -> Path:
    """A lab with findings that does not run any more."""
    directory = tmp_path_factory.mktemp("quiet") / "lab"
    with wiring.session(coin_study(), Budget(trials=400), directory) as lab:
        lab.run()
    return directory

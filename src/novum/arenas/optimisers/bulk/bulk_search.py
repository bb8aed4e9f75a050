"""`python -m novum.arenas.optimisers.bulk.bulk_search REQUEST`: search, and write the best rule as a line of JSON."""

from __future__ import annotations

import sys
from typing import Any

from novum.arenas.optimisers.arena import OptimisersArena
from novum.arenas.optimisers.bulk.search import Found, SearchSettings, search
from novum.arenas.optimisers.options import Options
from novum.symbolic.bulk_request import Tell, answer
from novum.symbolic.program_space import ProgramSpace


def searched(asked: dict[str, Any], here: Tell) -> tuple[ProgramSpace, Found]:
    """What a search finds that is asked like this, and the space that it is from."""
    options = Options.taken(asked["options"])
    space = OptimisersArena(options).space
    settings = SearchSettings(random=bool(asked["random"]), start=space.program(asked["start"]))
    return space, search(options, int(asked["seed"]), settings, float(asked["cpu_seconds"]), here)


if __name__ == "__main__":
    answer(sys.argv[1], searched)

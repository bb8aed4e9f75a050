"""`python -m novum.arenas.memory.bulk_search REQUEST`: search, and write the best rule as a line of JSON.

REQUEST: {"options": ..., "seed": ..., "cpu_seconds": ..., "random": ..., "start": genome}. It ends
when whoever asked is gone.
"""

from __future__ import annotations

import json
import os
import sys
import time

from novum.arenas.memory.arena import MemoryArena
from novum.arenas.memory.options import Options
from novum.arenas.memory.search import SearchSettings, search
from novum.text.bounded_json import load_json


def main(request: str) -> None:
    """Search as requested."""
    asked = load_json(request)
    options, parent = Options.taken(asked["options"]), os.getppid()

    def here(_programs: int, _fitness: float) -> None:
        if os.getppid() != parent:
            sys.exit(1)

    space = MemoryArena(options).space
    settings = SearchSettings(random=bool(asked["random"]), start=space.program(asked["start"]))
    found = search(options, int(asked["seed"]), settings, float(asked["cpu_seconds"]), here)
    genome = dict(space.genome(found.program))
    told = {"genome": genome, "programs": found.programs, "cpu_seconds": time.process_time(), "fitness": found.fitness}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])

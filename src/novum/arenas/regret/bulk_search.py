"""`python -m novum.arenas.regret.bulk_search REQUEST`: search, and write the best rule as a line of JSON.

REQUEST: {"options": ..., "seed": ..., "cpu_seconds": ..., "random": ..., "start": genome}. It ends
when whoever asked is gone.
"""

from __future__ import annotations

import json
import os
import sys
import time

from novum.arenas.regret.arena import RegretArena
from novum.arenas.regret.options import Options
from novum.arenas.regret.search import SearchSettings, search
from novum.text.bounded_json import load_json


def main(request: str) -> None:
    """Search as requested."""
    asked = load_json(request)
    options, parent = Options.taken(asked["options"]), os.getppid()

    def here(_programs: int, _fitness: float) -> None:
        if os.getppid() != parent:
            sys.exit(1)

    space = RegretArena(options).space
    settings = SearchSettings(random=bool(asked["random"]), start=space.program(asked["start"]))
    found = search(options, int(asked["seed"]), settings, float(asked["cpu_seconds"]), here)
    genome = dict(space.genome(found.program))
    told = {"genome": genome, "programs": found.programs, "cpu_seconds": time.process_time(), "fitness": found.fitness}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])

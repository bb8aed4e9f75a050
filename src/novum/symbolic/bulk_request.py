"""What a search outside the record is asked, and how it answers: see `novum.researchers.bulk`.

A request is {"options": ..., "seed": ..., "cpu_seconds": ..., "random": ..., "start": genome}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from novum.symbolic.program import Program
from novum.symbolic.program_space import ProgramSpace
from novum.text.bounded_json import load_json

Tell = Callable[[int, float], None]


class Found(Protocol):
    """What a search gives back: its best program, the fitness that it saw, and how many programs it made."""

    @property
    def program(self) -> Program: ...

    @property
    def fitness(self) -> float: ...

    @property
    def programs(self) -> int: ...


def answer(request: str, search: Callable[[dict[str, Any], Tell], tuple[ProgramSpace, Found]]) -> None:
    """Search as requested and write the find as a line of JSON, with the CPU seconds of the whole process.

    search gets the request and something to call now and then, which ends the process once whoever asked is gone.
    """
    parent = os.getppid()

    def here(_programs: int, _fitness: float) -> None:
        if os.getppid() != parent:
            sys.exit(1)

    space, found = search(load_json(request), here)
    genome = dict(space.genome(found.program))
    told = {"genome": genome, "programs": found.programs, "cpu_seconds": time.process_time(), "fitness": found.fitness}
    print(json.dumps(told))

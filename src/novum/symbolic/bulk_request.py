"""What a search outside the record is asked, and how it answers: see `novum.researchers.bulk`.

A request is {"options": ..., "seed": ..., "cpu_seconds": ..., "random": ..., "start": genome}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from novum.core.model.candidate import Setting
from novum.symbolic.program import Program
from novum.symbolic.program_space import ProgramSpace
from novum.text.bounded_json import load_json

Tell = Callable[[int, float], None]
Options = TypeVar("Options")
Settings = TypeVar("Settings")


class Found(Protocol):
    """What a search gives back: its best program, the fitness that it saw, and how many programs it made."""

    @property
    def program(self) -> Program: ...

    @property
    def fitness(self) -> float: ...

    @property
    def programs(self) -> int: ...


@dataclass(frozen=True)
class Searcher(Generic[Options, Settings]):
    """The search of an arena.

    options: from what a study says. space: of the arena with these. settings: with `random` and `start`. search: of
    options, seed, settings and CPU seconds, with something to call now and then.
    """

    options: Callable[[Setting], Options]
    space: Callable[[Options], ProgramSpace]
    settings: Callable[..., Settings]
    search: Callable[[Options, int, Settings, float, Tell], Found]


def answer(request: str, searcher: Searcher[Any, Any]) -> None:
    """Search as requested and write the find as a line of JSON, with the CPU seconds of the whole process.

    What the search calls now and then ends the process once whoever asked is gone.
    """
    parent = os.getppid()

    def here(_programs: int, _fitness: float) -> None:
        if os.getppid() != parent:
            sys.exit(1)

    asked = load_json(request)
    options = searcher.options(asked["options"])
    space = searcher.space(options)
    settings = searcher.settings(random=bool(asked["random"]), start=space.program(asked["start"]))
    found = searcher.search(options, int(asked["seed"]), settings, float(asked["cpu_seconds"]), here)
    genome = dict(space.genome(found.program))
    told = {"genome": genome, "programs": found.programs, "cpu_seconds": time.process_time(), "fitness": found.fitness}
    print(json.dumps(told))

"""`python -m novum.arenas.programs.bulk_search REQUEST`: search, and write the best program as a line of JSON."""

from __future__ import annotations

import sys

from novum.arenas.programs.arena import ProgramsArena
from novum.arenas.programs.options import Options
from novum.arenas.programs.search import SearchSettings, search
from novum.symbolic.bulk_request import Searcher, answer

if __name__ == "__main__":
    answer(sys.argv[1], Searcher(Options.taken, lambda options: ProgramsArena(options).space, SearchSettings, search))

"""`python -m novum.arenas.memory.bulk_search REQUEST`: search, and write the best rule as a line of JSON."""

from __future__ import annotations

import sys

from novum.arenas.memory.arena import MemoryArena
from novum.arenas.memory.options import Options
from novum.arenas.memory.search import SearchSettings, search
from novum.symbolic.bulk_request import Searcher, answer

if __name__ == "__main__":
    answer(sys.argv[1], Searcher(Options.taken, lambda options: MemoryArena(options).space, SearchSettings, search))

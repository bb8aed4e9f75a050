"""`python -m novum.arenas.optimisers.bulk.bulk_search REQUEST`: search, and write the best rule as a line of JSON."""

from __future__ import annotations

import sys

from novum.arenas.optimisers.arena import OptimisersArena
from novum.arenas.optimisers.bulk.search import SearchSettings, search
from novum.arenas.optimisers.options import Options
from novum.symbolic.bulk_request import Searcher, answer

if __name__ == "__main__":
    answer(sys.argv[1], Searcher(Options.taken, lambda options: OptimisersArena(options).space, SearchSettings, search))

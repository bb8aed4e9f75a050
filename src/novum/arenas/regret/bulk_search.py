"""`python -m novum.arenas.regret.bulk_search REQUEST`: search, and write the best rule as a line of JSON."""

from __future__ import annotations

import sys

from novum.arenas.regret.arena import RegretArena
from novum.arenas.regret.options import Options
from novum.arenas.regret.search import SearchSettings, search
from novum.symbolic.bulk_request import Searcher, answer

if __name__ == "__main__":
    answer(sys.argv[1], Searcher(Options.taken, lambda options: RegretArena(options).space, SearchSettings, search))

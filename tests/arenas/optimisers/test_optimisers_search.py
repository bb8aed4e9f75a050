"""The compiled search over quadratics: the same arithmetic as a trial's, and rules that are found by it."""

import numpy as np
import pytest

from novum.arenas.optimisers.arena import OptimisersArena
from novum.arenas.optimisers.language import language
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.spec import RATES
from novum.core.model.trial import Role
from novum.symbolic.program_space import ProgramSpace

numba = pytest.importorskip("numba")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

EVERY = (
    "a = 0.5; b = exp(a); c = a / b; d = max(a, b); e = min(a, b); f = sqrt(c); a = step(f); b = sign(e); "
    "c = abs(c); a = a + d; a = a - b; a = a * c; b = norm(g); m = a + g; n = a * g; m = m * n; n = n - g; "
    "p = abs(m); p = sqrt(p); m = m / p; n = max(m, n); n = cautious(n, g); p = rows(n); n = columns(n); m = p + n; "
    "p = row_mean(m); n = column_mean(g); m = m + p; m = m + n; n = orthogonal(m); m = clip(d, m); p = sign(w); "
    "n = n + p; n = unit(n); q = interp(n, q, 0.9); u = m; u = u + q"
)


def both(text, options):
    """Losses of a rule on one quadratic at three rates: by the search, and by the trial's own interpreter."""
    from novum.arenas.optimisers.bulk.search import Judge
    from novum.arenas.optimisers.training import train

    program = ProgramSpace(language(options)).program({"step": text})
    rates, judge = RATES[1:4], Judge(options, 5, 1)
    mine = [judge.loss(program, 0, rate) for rate in rates]
    made = train(program, language(options), options, Role.SEARCH, [5] * 3, rates, options.steps)
    arena = OptimisersArena(options)
    from novum.arenas.optimisers.score import score

    theirs = [score(arena.options, Role.SEARCH, 5, one.numpy().astype("<f4").tobytes()) for one in made.said]
    return np.array(mine), np.log(theirs)


@pytest.mark.parametrize("text", [EVERY, "m = interp(g, m, 0.6); u = orthogonal(m)", "u = g"])
def test_the_search_descends_as_a_trial_does(text):
    options = Options("quadratic", width=8, steps=40, batch=4, noise=0.1, instructions=40, held_out=4096)
    mine, theirs = both(text, options)
    assert np.allclose(mine, theirs, atol=0.1)


def test_a_search_finds_what_beats_plain_descent_and_counts_what_it_made():
    from novum.arenas.optimisers.bulk.search import Judge, SearchSettings, search

    options = Options("quadratic", operations="few", width=4, steps=20, batch=4, memory=1, setup=0, instructions=3)
    space = ProgramSpace(language(options))
    start = space.program({"step": "u = g"})
    search(options, 1, SearchSettings(start=start), 0.01)  # compiles, which else is a part of the time
    found = search(options, 1, SearchSettings(start=start), 0.5)
    assert found.programs >= found.judged > 50
    assert found.fitness > Judge(options, 1 + 3_000_017, 16).level(start)
    assert space.validate(space.genome(found.program)) == space.genome(found.program)


def test_a_rule_that_runs_away_is_worst():
    from novum.arenas.optimisers.bulk.search import Judge
    from novum.arenas.optimisers.score import MOST

    options = Options("quadratic", width=4, steps=60, batch=4)
    program = ProgramSpace(language(options)).program({"step": "m = g + m; m = m + m; u = m - w"})
    assert Judge(options, 1, 1).loss(program, 0, 3.0) == np.log(MOST)


def test_only_quadratics_have_a_search():
    assert OptimisersArena(Options("quadratic")).space.searcher
    assert not OptimisersArena(Options("mnist1d")).space.searcher

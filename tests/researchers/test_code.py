"""The code researcher: a function of the view, never the same program twice, each arm with its words."""

from __future__ import annotations

import importlib.util
import random
import re
from collections import Counter

import pytest

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Candidate, Gene, Space
from novum.core.model.errors import StudyError
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.researchers.code import CodeResearcher
from novum.researchers.code import program_history as past
from novum.researchers.code.literal_tuning import ENOUGH, OBSERVED, dimensions, tuned
from novum.researchers.code.operator_credit import CROSS, TUNE, operator, records
from novum.source.literals import with_values
from novum.source.merge import crossed
from novum.source.mutate import all_mutations, all_rewrites, mutations, product
from novum.source.rewrites import rewrites
from novum.source.space import SourceSpace

TEXT = """\
import random

# EVOLVE-BLOCK-START
def search(cost, seed, trials=100, scale=0.5, wide=True):
    rng = random.Random(seed)
    best_x = 0.0
    best = cost(best_x)
    for _ in range(trials):
        x = rng.uniform(-4.0, 4.0)
        value = cost(x * scale)
        if value < best and wide:
            best, best_x = value, x
    return best_x
# EVOLVE-BLOCK-END
"""
SPACE = SourceSpace({"a.py": TEXT, "b.txt": "weight 3\nbias -0.25\n"})
SPEC = ArenaSpec("programs", "", "score", True, 0.01, "none", 1, ({},), {})


def view(tried=(), known=(), number=1, space=SPACE, incumbent=None) -> StudyView:
    return StudyView(SPEC, space, number, incumbent or {}, tuple(tried), frozenset(known))


def campaign(length: int, seed: int, researcher=None):
    """A study whose scores are noise, with a few failures: (view, proposal) of each step."""
    steps, tried, known = [], [], {Candidate({}).id}
    for number in range(1, length + 1):
        seen = view(tried, known, number)
        proposal = (researcher or CodeResearcher()).propose(seen, random.Random(f"{seed}:{number}"))
        steps.append((seen, proposal))
        known.add(Candidate(proposal.genome).id)
        score = float("-inf") if number % 7 == 0 else random.Random(f"{number}:{seed}").gauss(0, 1)
        tried.append(PastHypothesis(f"h{number}", proposal.genome, score, None))
    return steps


def test_proposals_are_new_admissible_programs_with_reasons_and_predictions():
    keys = {SPACE.key({})}
    for seen, proposal in campaign(60, 1):
        assert SPACE.validate(proposal.genome) == proposal.genome
        assert Candidate(proposal.genome).id not in seen.known
        assert SPACE.key(proposal.genome) not in keys
        keys.add(SPACE.key(proposal.genome))
        assert set(proposal.parents) <= {tried.id for tried in seen.tried}
        assert proposal.rationale
        assert 0 <= proposal.probability <= 1
        assert proposal.effect >= 0


def test_a_proposal_is_a_function_of_view_and_randomness():
    steps = campaign(30, 2)
    for seen, proposal in reversed(steps):
        assert CodeResearcher().propose(seen, random.Random(f"2:{seen.number}")) == proposal
    assert len({Candidate(proposal.genome).id for _, proposal in steps}) == 30


def test_every_arm_has_its_turn():
    words = Counter[str]()
    for _, proposal in (*campaign(60, 3), *campaign(60, 4)):
        for arm, sign in (
            ("tune", ", by "),
            ("cross", "merges "),
            ("rewrite", "best point"),
            ("point", r"becomes|negates|deletes|swaps|doubles|halves|sets to"),
        ):
            words[arm] += re.search(sign, proposal.rationale) is not None
    assert all(words[arm] > 2 for arm in ("tune", "cross", "rewrite", "point")), words


def test_a_space_of_genes_is_refused_with_advice():
    genes = Space((Gene("x", (1, 2)),))
    with pytest.raises(StudyError, match="choose evolve"):
        CodeResearcher().propose(view(space=genes), random.Random(0))


def test_a_program_with_nothing_to_change_brings_no_idea():
    assert CodeResearcher().propose(view(space=SourceSpace({"a.py": "import math\n"})), random.Random(0)) is None


def test_a_kept_incumbent_and_strangers_in_the_past_are_taken_as_they_are():
    kept = {"a.py": TEXT.replace("trials=100", "trials=300")}
    odd = [
        PastHypothesis("h1", {"gone.py": "x = 1\n"}, 0.5, None),
        PastHypothesis("h2", {"a.py": TEXT.replace("0.5", "0.7")}, -1.0, None),
    ]
    proposal = CodeResearcher().propose(view(odd, incumbent=kept), random.Random(4))
    assert SPACE.key(proposal.genome) not in {SPACE.key(kept), SPACE.key({}), SPACE.key(odd[1].genome)}


def test_operators_are_known_again_by_their_products():
    for mutation in (*mutations(TEXT, "a.py"), *rewrites(TEXT, "a.py")):
        child = mutation.apply(TEXT)
        found = operator("a.py", TEXT, child)
        assert found is not None
        assert any(
            m.operator == found and m.apply(TEXT) == child for m in (*mutations(TEXT, "a.py"), *rewrites(TEXT, "a.py"))
        )
    assert operator("a.py", TEXT, TEXT.replace("0.5", "0.51").replace("100", "107")) == TUNE
    assert operator("a.py", TEXT, TEXT.replace("best_x", "champion")) is None


def test_what_paid_is_counted_for_its_operator():
    rewrite = next(m for m in all_rewrites(SPACE, {}) if m.operator == "rewrite.climb")
    delete = next(m for m in all_mutations(SPACE, {}) if m.operator == "number.flip")
    one, two = (product(SPACE, {}, [m]) for m in (rewrite, delete))
    both = crossed(SPACE, {}, one, two, random.Random(0))
    tried = [
        PastHypothesis("h1", one, 1.0, None),
        PastHypothesis("h2", two, -1.0, None),
        PastHypothesis("h3", both, 2.0, None),
    ]
    found = records(past.history(SPACE, view(tried))).by_name
    assert found["rewrite.climb"].wins >= 1
    assert (found["number.flip"].wins, found["number.flip"].lost_trials) in {(0, 1), (1, 1)}
    draws = [records(past.history(SPACE, view(tried))).draw("rewrite.climb", random.Random(n)) for n in range(50)]
    assert 0.4 < sum(draws) / 50 < 0.9
    assert CROSS not in found or found[CROSS].wins == 1


def tuning_history(count: int):
    """Variants that differ in literals only; the score is best at trials = 400, scale = 1.5."""
    tried, rng = [], random.Random(5)
    every = dimensions(SPACE, {})
    trials, scale = (
        next(i for i, d in enumerate(every) if d.literal.name.endswith(name)) for name in ("trials", "scale")
    )
    for number in range(count):
        values = {
            every[trials].index: round(10 ** rng.uniform(1.5, 2.8)),
            every[scale].index: 10 ** rng.uniform(-1, 0.6),
        }
        score = -abs(values[every[trials].index] - 400) / 400 - abs(values[every[scale].index] - 1.5)
        tried.append(
            PastHypothesis(f"h{number}", SPACE.validate({"a.py": with_values(TEXT, "a.py", values)}), score, None)
        )
    return past.history(SPACE, view(tried))


def test_literals_are_tuned_by_tpe_once_there_is_enough_to_learn_from():
    pytest.importorskip("optuna")
    seen = tuning_history(40)
    made = [tuned(seen, seen.fit[0], random.Random(seed), 4) for seed in range(30)]
    methods = {idea.method for idea in made if idea}
    assert len(methods) == 1
    assert re.fullmatch(r"TPE over (\d+) variants", *methods)
    assert OBSERVED / 2 <= int(methods.pop().split()[2]) <= OBSERVED
    assert made == [tuned(seen, seen.fit[0], random.Random(seed), 4) for seed in range(30)]
    few = tuning_history(ENOUGH - 2)
    assert tuned(few, few.fit[0], random.Random(0), 4).method == "an evolution step"


def test_without_optuna_an_evolution_step_takes_its_place_and_says_so(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "optuna" else find(name, *rest)
    )
    seen = tuning_history(40)
    idea = tuned(seen, seen.fit[0], random.Random(1), 4)
    assert idea.method == "an evolution step, as Optuna is not installed"
    assert SPACE.key(idea.genome) != SPACE.key(seen.fit[0].genome)


def test_tuned_literals_stay_in_range_and_keep_their_kind():
    seen = tuning_history(3)
    for seed in range(100):
        idea = tuned(seen, seen.incumbent, random.Random(seed), 6)
        if idea is None:
            continue
        for old, new in zip(dimensions(SPACE, {}), dimensions(SPACE, SPACE.validate(idea.genome)), strict=True):
            assert type(new.literal.value) is type(old.literal.value)
            assert old.low - 1e-9 <= old.size(new.literal.value) <= old.high + 1e-9
            if old.log:
                assert (new.literal.value < 0) == (old.literal.value < 0)


def test_work_on_one_view_is_bounded_by_what_is_new_in_it(monkeypatch):
    """A second proposal on a longer past parses the programs that it makes, not the past again."""
    steps = campaign(50, 6)
    parsed: list[str] = []
    real = compile
    monkeypatch.setattr(
        "builtins.compile", lambda text, *rest, **more: parsed.append(text) or real(text, *rest, **more)
    )
    CodeResearcher().propose(steps[-1][0], random.Random("another"))
    assert len(parsed) <= 2 * 40 + 10

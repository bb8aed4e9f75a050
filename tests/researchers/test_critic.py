"""What the critic says of a proposal: properties over examples, with the checks worked out anew beside it."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace

import programs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs import Flaky, ScriptedArena, coin_study, events, failing, finished, in_memory, scored
from tests.support.views import cases_of

from novum.arenas.program.arena import ProgramArena
from novum.core.events.campaign import CampaignOpened, IncumbentChanged, SessionStarted
from novum.core.events.oversight import ProposalReviewed
from novum.core.events.proposals import HypothesisRegistered, ProposalMade, ProposalRefused
from novum.core.events.trials import CandidateTuned, GroupDispatched, TrialFinished
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Cost
from novum.core.model.study import PolicyRule, PolicySettings, ResearcherSettings, ScreeningSettings
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.state.author_stats import alike
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply, fold
from novum.core.state.full_state import FullState
from novum.lab import wiring
from novum.registry import Kind, build
from novum.report.analyst import interpret
from novum.researchers.critic import RuleCritic, redacted
from novum.researchers.critic.cost_checks import MEANS
from novum.researchers.critic.gene_duplicates import MEMORY
from novum.researchers.critic.leak_risks import names
from novum.researchers.scripted import ScriptedResearcher
from novum.source.mutate import all_mutations, by_operator, product
from novum.source.space import SourceSpace
from novum.text.secret_scan import REMOVED
from novum.views.approval_requests import waiting
from novum.views.campaign_summary import summarise
from novum.views.record_detail import detail
from novum.views.record_search import Query, Search

REASON = "a reason of several words"


class Vague(ScriptedResearcher):
    """Gives no reasons."""

    def propose(self, view, rng):
        said = super().propose(view, rng)
        return said and replace(said, rationale=" ")


def fold_archive(lab) -> FullState:
    archive = FullState()
    for event in events(lab):
        archive.keep(event)
    return archive


SPEC = ArenaSpec("by hand", "?", "points", True, 0.01, "nowhere", 4, ({},), {"a": 0, "b": 0, "c": 0}, ceiling=1.0)


def campaign(baseline, tried=(), spec=SPEC, budget=None, cost=None) -> CampaignState:
    """A state in which candidates were screened: each (genome, score, kind, cause); None stands for no score."""
    study = coin_study(name="by hand")
    first = Candidate(baseline)
    record = [
        CampaignOpened(study, spec, "a" * 64, "c" * 64, {}),
        SessionStarted(1, budget or Budget(trials=10**6), 1, 1, "here", {}),
        IncumbentChanged(first, cost or Cost(10, 10, 10.0), None),
        CandidateTuned(first.id, {}, 0.5, (0.5,), 3),
    ]
    for number, (genome, score, kind, cause) in enumerate(tried, 1):
        one = Candidate(genome)
        record.append(
            HypothesisRegistered(f"h{number}", number, "evolve", one, Cost(), first.id, "points", True, 0.0, (),
                                    REASON, 0.1, 0.0)
        )  # fmt: skip
        for again in range(3 if kind is OutcomeKind.LOST else 1):  # a lost trial is run again before it counts
            group = f"g{number}.{again}"
            plan = Plan(group, Purpose.SCREEN, one.id, Side.CANDIDATE, one, (Member(0, {}),))
            record += [
                GroupDispatched(plan, 1, 0.0),
                TrialFinished(f"{group}.0", group, 0, kind, score, cause, None, 0.1, 0.1, 1, 0.0),
            ]
        record.append(CandidateTuned(one.id, {}, score, (score,), 3))
    return fold(record)


def proposal(genome, rationale=REASON, probability=0.1, effect=0.0) -> ProposalMade:
    return ProposalMade(999, "evolve", Candidate(genome), (), rationale, probability, effect)


def said(state, space, one, cost=None, hidden=frozenset()):
    remarks = RuleCritic(space, hidden).review(state, one, cost or Cost(10, 10, 10.0))
    assert remarks == RuleCritic(space, hidden).review(state, one, cost or Cost(10, 10, 10.0))
    return {(remark.check, remark.refuses): remark.words for remark in remarks}


GENES = ScriptedArena().space
FIRST = {"a": 0, "b": 0, "c": 0}


@given(st.text(max_size=40), st.sampled_from([0.0, 0.3, 1.0]), st.floats(-1, 2))
@settings(max_examples=80, deadline=None)
def test_a_vague_claim_is_remarked_upon_and_never_refused(rationale, probability, effect):
    found = said(campaign(FIRST), GENES, proposal({**FIRST, "a": 1}, rationale, probability, effect))
    wrong = (len(rationale.split()) < 3) + (probability in (0.0, 1.0)) + (effect > 0.5 + SPEC.resolution)
    remarks = RuleCritic(GENES).review(campaign(FIRST), proposal(FIRST, rationale, probability, effect), Cost())
    assert len(remarks) == wrong
    assert set(found) == ({("vague claim", False)} if wrong else set())


SMALL = st.fixed_dictionaries({"a": st.integers(0, 2), "b": st.integers(0, 2), "c": st.integers(0, 3)})
ENDS = st.sampled_from(
    [
        (0.4, OutcomeKind.SCORED, ""),
        (None, OutcomeKind.CRASHED, "ValueError: 17 is too much"),
        (None, OutcomeKind.CRASHED, "ValueError: 18 is too much"),
        (None, OutcomeKind.DIVERGED, "nan"),
        (None, OutcomeKind.LOST, "the worker died"),
    ]
)


@given(st.lists(st.tuples(SMALL, ENDS), max_size=30), SMALL)
@settings(max_examples=150, deadline=None)
def test_three_neighbours_that_failed_alike_and_none_that_scored_are_refused(tried, genome):
    tried = list({tuple(sorted(one.items())): (one, *end) for one, end in tried if one != FIRST}.values())
    state = campaign(FIRST, tried)
    near = [one for one in tried if sum(one[0][name] != genome[name] for name in genome) == 1]
    lost = [one for one in near if one[1] is None and one[2] is not OutcomeKind.LOST]
    reasons = [alike(f"{one[2]}: {one[3]}") for one in lost]
    most = max((reasons.count(reason) for reason in reasons), default=0)
    works = any(one[1] is not None for one in near) or sum(genome[name] != 0 for name in genome) == 1
    found = said(state, GENES, proposal(genome))
    assert set(found) == ({("near-duplicate", most >= 3 and not works)} if lost else set())
    for words in found.values():
        assert words.count("h") >= most or most > 4
        assert any(cause in words for cause in ("ValueError", "nan"))


def test_what_failed_long_ago_is_forgotten():
    bad = [({**FIRST, "a": 1, "c": 100 + n}, None, OutcomeKind.CRASHED, "no") for n in range(3)]
    other = [({"a": 5, "b": 5, "c": n}, 0.1, OutcomeKind.SCORED, "") for n in range(MEMORY)]
    repeated = proposal({**FIRST, "a": 1, "c": 50})
    assert set(said(campaign(FIRST, bad), GENES, repeated)) == {("near-duplicate", True)}
    assert not said(campaign(FIRST, bad + other), GENES, repeated)


def test_costs_are_held_against_the_incumbents_with_both_numbers():
    state = campaign(FIRST)
    assert not said(state, GENES, proposal({**FIRST, "a": 1}), Cost(99, 99, 99.0))
    found = RuleCritic(GENES).review(state, proposal({**FIRST, "a": 1}), Cost(123, 100, 45000.0))
    assert [one.check for one in found] == ["cost"] * 3 and not any(one.refuses for one in found)
    assert all(number in " ".join(one.words for one in found) for number in ("123", "100", "4.5e+04", "10"))
    only = campaign(FIRST, cost=Cost(10))
    assert not said(only, GENES, proposal({**FIRST, "a": 1}), Cost(1000))


def test_a_lab_that_cannot_confirm_any_more_says_so_once_in_a_session():
    lab = finished(coin_study(), 300)
    reviews = [event for event in events(lab) if isinstance(event, ProposalReviewed)]
    assert [one.check for event in reviews for one in event.remarks] == [MEANS]
    again = in_memory(coin_study(), Budget(trials=330), ledger=lab.ledger)
    again.run()
    reviews = [event for event in events(again) if isinstance(event, ProposalReviewed)]
    assert [one.words.split(" has")[0] for event in reviews for one in event.remarks] == [
        "what session 1",
        "what session 2",
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["evolve", "random", "portfolio"])
def test_ordinary_proposals_get_no_remarks(name, seed):
    lab = finished(coin_study(seed=seed, researcher=ResearcherSettings(name)), 400)
    reviews = [event for event in events(lab) if isinstance(event, ProposalReviewed)]
    assert all(one.check == MEANS for event in reviews for one in event.remarks)
    assert lab.state.proposals > 30


@pytest.mark.parametrize("name", ["recall", "digits"])
def test_ordinary_candidates_of_other_arenas_get_no_remarks(name):
    problem = build(Kind.ARENA, name, {})
    baseline = problem.space.validate(problem.spec.baseline)
    state = campaign(baseline, spec=replace(problem.spec, program="nowhere"), cost=problem.cost(baseline))
    rng, critic = random.Random(1), RuleCritic(problem.space)
    for _ in range(300):
        genome = problem.space.sample(rng)
        assert not critic.review(state, proposal(genome, "drawn uniformly from the space"), problem.cost(genome))


def test_failures_of_a_real_campaign_are_remarked_upon_as_they_should_be():
    """Every review in the record is what the critic says of the state before it, and refusals follow."""

    def plan(group):
        act = group.candidate.genome["act"]
        return failing(group, OutcomeKind.CRASHED, f"{act}: no") if act in ("raise", "diverge") else scored(group)

    lab = in_memory(coin_study(arena="scripted"), Budget(trials=500), arena=ScriptedArena(), executor=Flaky(plan))
    lab.run()
    state, made, reviewed, refused = CampaignState(), {}, {}, {}
    for event in events(lab):
        if isinstance(event, ProposalMade):
            made[event.number] = event
        elif isinstance(event, ProposalReviewed):
            reviewed[event.number] = event
            assert event.remarks == lab.context.critic.review(state, made[event.number], Cost(1))
        elif isinstance(event, ProposalRefused):
            refused[event.number] = event.reason
        apply(state, event)
    objections = {n: one for n, event in reviewed.items() for one in event.remarks if one.refuses}
    assert objections and all(refused[number] == one.words for number, one in objections.items())
    assert all(made[number].candidate.genome["act"] != "score" for number in objections)
    assert len(reviewed) < lab.state.proposals / 2


def test_remarks_are_shown_wherever_proposals_are():
    rules = (PolicyRule("propose", "approval"), PolicyRule("promote", "yes"))
    scripted = Vague(({"spin": 2}, {"spin": 3}))
    lab = in_memory(coin_study(policy=PolicySettings(rules)), Budget(trials=90, wall_seconds=5), researcher=scripted)
    while len(lab.state.request_log.waiting) < 2:
        lab.step()
    shown = waiting(lab.state)
    assert [one.remarks for one in shown] == [("vague claim: it has no reason",)] * 2
    study = coin_study(screening=ScreeningSettings(keep_one_in=1))
    lab = in_memory(study, Budget(trials=400), researcher=scripted)
    lab.run()
    (found,) = summarise(lab.state).findings
    assert found.remarks == ("vague claim: it has no reason",)
    assert detail(fold_archive(lab), found.id).remarks == found.remarks
    line = next(one for one in Search(Query(kinds=frozenset({"proposal_reviewed"}))).find(lab.ledger.read()))
    assert line.words == "proposal 1: vague claim: it has no reason"
    assert "it has no reason" in " ".join(one.text for one in interpret(cases_of(lab.ledger.read()), "h1").sentences)


SPACE = SourceSpace({"solver.py": programs.SOLVER}, creatable=("",))
HIDDEN = frozenset({"target.json", "score.py", "hidden/answers.csv"})


def with_lines(*lines, old="    return best\n", new=None) -> dict:
    text = programs.SOLVER.replace(old, "".join(f"    {line}\n" for line in lines) + (old if new is None else new))
    return dict(SPACE.validate({"solver.py": text}))


def reviewed(genome, tried=(), hidden=HIDDEN, incumbent=None):
    spec = replace(SPEC, baseline={})
    return said(campaign(incumbent or {}, tried, spec=spec), SPACE, proposal(genome), Cost(), hidden)


CRASHED = (None, OutcomeKind.CRASHED, "ZeroDivisionError: division by zero")


def test_a_program_that_holds_a_failure_and_little_else_is_refused():
    bad = with_lines("best = best / 0")
    tried = [(bad, *CRASHED)]
    other_value = {"solver.py": bad["solver.py"].replace("ROUNDS = 3", "ROUNDS = 5")}
    for same in (with_lines("# a comment", "best = best / 0"), other_value):
        found = reviewed(same, tried)
        assert set(found) == {("near-duplicate", True)}
        assert "h1" in found["near-duplicate", True] and "ZeroDivisionError" in found["near-duplicate", True]


def test_what_may_be_the_mending_of_a_failure_is_tried():
    tried = [(with_lines("best = best / (ROUNDS - 3)"), *CRASHED)]
    guarded = with_lines("if ROUNDS != 3:", "    best = best / (ROUNDS - 3)")
    assert set(reviewed(guarded, tried)) == {("near-duplicate", False)}
    assert not reviewed(with_lines("best = best / (ROUNDS - 2)"), tried)
    assert not reviewed(with_lines("best = best + 1"), tried)
    lost = [(with_lines("best = best / (ROUNDS - 3)"), None, OutcomeKind.LOST, "the worker died")]
    assert not reviewed(guarded, lost)
    works = [*tried, (with_lines("best = best / (ROUNDS - 3)", "best = best + 2"), 0.3, OutcomeKind.SCORED, "")]
    assert not reviewed(guarded, works)


@pytest.mark.parametrize(
    ("lines", "check", "words"),
    [
        (["while True:", "    best += 1"], "static", "nothing in it ends"),
        (["while 1:", "    for _ in range(3):", "        break"], "static", "nothing in it ends"),
        (["best = float(input())"], "static", "asks for input"),
        (["import socket"], "leak risk", "the network"),
        (["import urllib.request as u"], "leak risk", "the network"),
        (["from subprocess import run"], "leak risk", "other processes"),
        (["import os", "best = len(os.environ)"], "leak risk", "the environment"),
        (["from os import environ"], "leak risk", "the environment"),
        (["import os", "os.system('true')"], "leak risk", "other processes"),
        (["import sys", "best = len(sys._getframe().f_code.co_name)"], "leak risk", "its callers"),
        (["import gc"], "leak risk", "in memory"),
        (["best = len(().__class__.__base__.__subclasses__())"], "leak risk", "in memory"),
        (["best = len(open('/etc/passwd').read())"], "leak risk", "outside its directory"),
        ([f"table = {list(range(200))}"], "leak risk", "could hold answers"),
        ([f"table = {{{', '.join(f'{n}: -{n}.5' for n in range(100))}}}"], "leak risk", "could hold answers"),
    ],
)
def test_what_a_program_brings_in_is_remarked_upon_and_tried(lines, check, words):
    found = reviewed(with_lines(*lines))
    assert words in found[check, False] and not any(refuses for _, refuses in found)
    assert "solver.py:" in found[check, False]
    brought = with_lines(*lines)
    more = {"solver.py": brought["solver.py"].replace("STEP = 0.5", "STEP = 0.25")}
    assert not reviewed(more, incumbent=brought)


@pytest.mark.parametrize(
    "lines",
    [
        ["while True:", "    break"],
        ["while True:", "    if best:", "        return best"],
        ["while True:", "    try:", "        raise ValueError", "    finally:", "        pass"],
        ["while best < 1:", "    best += 1"],
        ["import math", "best = math.sqrt(best * best)"],
        ["best = len(open('hint.json').read())"],
        [f"table = {list(range(150))}"],
        ["best = max(best, 1.0)", "'target.json is what this comes near to'"],
        ["target = 'json'"],
    ],
)
def test_ordinary_lines_are_not_remarked_upon(lines):
    assert not reviewed(with_lines(*lines))


def test_errors_that_are_all_passed_over_are_remarked_upon():
    body = "    try:\n        return 1.0\n    except{}:\n        pass\n"
    for kind, noticed in (("", True), (" Exception", True), (" ValueError", False)):
        new = programs.SOLVER[: programs.SOLVER.index("    rng =")] + body.format(kind)
        found = reviewed(dict(SPACE.validate({"solver.py": new})))
        assert ("static", False) in found if noticed else not found


@given(st.sampled_from(sorted(HIDDEN)), st.sampled_from(["", "./", "../", "/work/", "data/"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_name_of_a_hidden_file_is_refused_unless_it_was_there(name, folder, formatted):
    line = f"best = len(f'{{best}}/{name}')" if formatted else f"best = len({folder + name!r})"
    found = reviewed(with_lines(line))
    assert name in found["leak risk", True]
    there = with_lines(line)
    again = {"solver.py": there["solver.py"].replace("STEP = 0.5", "STEP = 0.75")}
    assert not reviewed(again, incumbent=there)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_only_paths_of_hidden_files_name_them(text):
    whole = text.strip().replace("\\", "/").rstrip("/.")
    for name in HIDDEN:
        assert names(f"{text}/{name}", HIDDEN) == name
        assert not names(f"{name}{'x' + text.replace('/', '')}", HIDDEN)
    assert not names(text, HIDDEN) or any(whole.endswith(name) for name in HIDDEN)


def test_a_program_that_lost_a_secret_is_refused():
    found = reviewed(with_lines(f"key = '{REMOVED}'"))
    assert "removed" in found["secret", True]


def test_a_base_that_says_so_itself_hides_no_further_loss():
    space = SimpleNamespace(plain_base={"solver.py": f"# token: {REMOVED}"})
    for times, lost in ((1, False), (2, True)):
        candidate = Candidate({"solver.py": f"# token: {REMOVED}" * times})
        assert bool(list(redacted.remarks(SimpleNamespace(candidate=candidate), space))) is lost


def test_the_arena_tells_what_is_hidden_and_nothing_that_candidates_use(tmp_path):
    arena = ProgramArena(programs.options(tmp_path / "a"))
    assert {"target.json", "score.py", "prepare.py"} <= arena.hidden_files()
    assert not {"hint.json", "answer.json", "solver.py", "main.py"} & arena.hidden_files()
    files = {"hidden/answers.csv": "1\n", "hidden/data": "1\n", "shown/target.json": "{}\n"}
    other = ProgramArena(programs.options(tmp_path / "b", files, hidden=["hidden/*"]))
    assert {"hidden/answers.csv", "answers.csv", "hidden/data"} <= other.hidden_files()
    assert not {"data", "target.json"} & other.hidden_files()
    context = wiring.context(
        coin_study(arena="program", options=programs.options(tmp_path / "c")), Budget(trials=1), bytes(32), 1
    )
    assert context.critic.hidden == arena.hidden_files()


def test_ordinary_mutants_of_a_program_get_no_remarks():
    state, critic, rng = campaign({}, spec=replace(SPEC, baseline={})), RuleCritic(SPACE, HIDDEN), random.Random(3)
    groups = by_operator(all_mutations(SPACE, {}))
    genomes = [product(SPACE, {}, [rng.choice(found)]) for found in groups.values() for _ in range(3)]
    for genome in filter(None, genomes):
        assert not critic.review(state, proposal(genome), Cost())

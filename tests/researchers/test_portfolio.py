"""The portfolio gives the budget to whoever gains most for it, and never takes the control's share."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

import pytest
from labs import coin_study, events, in_memory

from novum.core.events.proposals import ProposalMade
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.model_call import ModelCall, ModelRequest, Reply
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.study import ResearcherSettings
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.core.model.verdict import Verdict
from novum.core.state.study_views.research_history import LONG_MEMORY, MEMORY, ResearchHistory, cost
from novum.core.state.study_views.researcher_view import view_of
from novum.registry import Kind, build
from novum.researchers.author_value import books, worth
from novum.researchers.evolve import EvolveResearcher
from novum.researchers.portfolio import PortfolioResearcher, PortfolioSettings
from novum.researchers.random import RandomResearcher

ARENA = build(Kind.ARENA, "coinflip", {})


@dataclass(frozen=True)
class Useless:
    """Proposes coins that differ from the incumbent in nothing that matters, or are worse."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        for _ in range(100):
            genome = {**view.incumbent, "shade": rng.randrange(64)}
            if rng.random() < 0.5:
                genome |= {"spin": 3, "metal": 3}
            if Candidate(view.space.validate(genome)).id not in view.known:
                return Proposal(view.space.validate(genome), "looks nice")
        return None


@dataclass(frozen=True)
class Double:
    """Says what it is told to."""

    said: object
    pending: bool = False

    def propose(self, view, rng):
        return self.said


def portfolio(good, seed=0, **options) -> PortfolioResearcher:
    settings = PortfolioSettings(members="good,useless", **options)
    return PortfolioResearcher({"good": good, "useless": Useless(), "random": RandomResearcher()}, settings)


def campaign(seed, researcher, proposals=200):
    """A campaign of coins until so many proposals have been made; inline, in memory."""
    study = coin_study(seed=seed, researcher=ResearcherSettings("portfolio"))
    lab = in_memory(study, Budget(trials=20_000), researcher=researcher, secret=bytes([seed]) * 32)
    while lab.state.proposals < proposals and lab.step():
        pass
    return lab


def shares(lab, after=0) -> dict[str, float]:
    """Of the trials that the hypotheses proposed after a number have cost, by author."""
    spent = Counter()
    for one in lab.state.hypotheses.values():
        if one.registered.number > after:
            spent[one.registered.author] += cost(lab.state, one)[0]
    return {name: count / spent.total() for name, count in spent.items()}


def proposals(lab) -> list[ProposalMade]:
    return [event for event in events(lab) if isinstance(event, ProposalMade)]


@pytest.mark.parametrize(("seed", "unit"), [(0, "trials"), (1, "trials"), (2, "trials"), (3, "cpu_seconds")])
def test_after_100_proposals_the_good_one_gets_the_budget_and_the_control_its_share(seed, unit):
    lab = campaign(seed, portfolio(EvolveResearcher(), cost=unit))
    assert lab.state.findings
    assert shares(lab, 100)["good"] >= 0.8
    authors = [made.author for made in proposals(lab)]
    for until in range(20, len(authors), 10):
        assert authors[:until].count("random") >= until // 10


def test_a_good_one_that_comes_late_is_found():
    """The share of exploration is what finds it, so give it long enough."""
    view = past([("evolve", 0.0)] * 200 + [("late", 0.1)] * 4)
    who = PortfolioResearcher({"evolve": Double(None), "late": Double(None)}, PortfolioSettings("evolve,late", "late"))
    firsts = [who.order(replace(view, number=11), random.Random(n))[0] for n in range(100)]
    assert firsts.count("late") > 80


def past(gains, number=1, **changes) -> StudyView:
    """A view in which authors have had hypotheses of these gains, all screened without noise."""
    tried = [
        replace(PastHypothesis(f"h{n}", {}, gain, None), author=author, trials=4, cpu_seconds=1.0, gain=gain, **changes)
        for n, (author, gain) in enumerate(gains)
    ]
    spec = ARENA.spec
    return StudyView(spec, ARENA.space, number, spec.baseline, tried, frozenset(), past=tried)


def test_dear_gains_count_less_than_cheap_ones():
    cheap, dear = past([("a", 0.1)] * 20).past, past([("b", 0.1)] * 20).past
    dear = [replace(one, cpu_seconds=10.0) for one in dear]
    kept = books([*cheap, *dear], ("a", "b"), half_life=100, by_trials=False)
    wins = sum(kept.draw("a", random.Random(n)) > kept.draw("b", random.Random(-n - 1)) for n in range(100))
    assert wins > 95


def test_confirmed_gains_count_in_full_and_noise_for_nothing():
    one = PastHypothesis("h1", {}, 0.1, None, gain=0.1, doubt=0.02)
    assert 0 < worth(one) < 0.1
    assert worth(replace(one, doubt=0.06)) == 0.0
    assert worth(replace(one, verdict=Verdict.SUPPORTED)) > worth(one)
    assert worth(replace(one, verdict=Verdict.SUPPORTED, effect=0.1)) == 0.1
    assert worth(replace(one, verdict=Verdict.SUPPORTED, effect=0.0)) == 0.0  # retracted
    assert worth(replace(one, verdict=Verdict.REFUTED)) == worth(replace(one, gain=None)) == 0.0


def test_the_same_view_and_randomness_give_the_same_proposal():
    lab = campaign(1, portfolio(EvolveResearcher(), cost="trials"), 30)
    again = campaign(1, portfolio(EvolveResearcher(), cost="trials"), 30)
    assert proposals(lab) == proposals(again)


def test_who_has_a_request_on_its_way_is_asked_first_and_its_requests_are_passed_on():
    ask = ModelRequest("r1", "model", "language", 10, 0.1)
    consulted = (ModelCall("r1", "model", Reply.EMPTY),)
    settings = PortfolioSettings("evolve,language", control_share=0.0)
    others = {"evolve": EvolveResearcher(), "random": RandomResearcher()}
    view = past([("evolve", 0.1)] * 50 + [("language", 0.0)] * 50)

    def said(thought, pending=True):
        who = PortfolioResearcher({**others, "language": Double(thought, pending)}, settings)
        assert who.pending is pending
        return who.propose(view, random.Random(0))

    assert said(Pending(ask=ask)) == Pending(ask=ask)
    assert said(Pending(consulted=consulted, final=True)) == Pending(consulted=consulted)
    assert said(Pending()).author == "evolve"  # nobody waits for who thinks
    mine = Proposal(ARENA.spec.baseline, "an idea", consulted=consulted)
    assert said(mine) == replace(mine, author="language")
    assert said(replace(mine, author="language:gpt")).author == "language:gpt"
    assert said(replace(mine, consulted=())).author == "evolve"  # out of turn only with what was paid for


def test_the_control_is_not_kept_waiting_by_who_is_thinking():
    settings = PortfolioSettings("language", control_share=0.5)
    mine = Proposal(ARENA.spec.baseline, "an idea", consulted=(ModelCall("r1", "model", Reply.EMPTY),))
    who = PortfolioResearcher({"language": Double(mine, True), "random": RandomResearcher()}, settings)
    authors = [who.propose(past([], number), random.Random(0)).author for number in (1, 2, 3, 4)]
    assert authors == ["language", "random"] * 2


def test_a_member_is_credited_under_all_its_names():
    seen = past([("language:gpt", 0.1), ("language/evolve", 0.1), ("mcp:agent", 0.5)]).past
    kept = books(seen, ("language", "evolve"), half_life=100, by_trials=False)
    assert [len(kept.of[name]) for name in ("language", "evolve")] == [2, 0]


def test_it_ends_when_nobody_has_an_idea_and_closes_everybody():
    closed = []

    class Closing(Double):
        def close(self):
            closed.append(self)

    settings = PortfolioSettings("a,b")
    nobody = {name: Closing(None) for name in ("a", "b", "random")}
    assert PortfolioResearcher(nobody, settings).propose(past([]), random.Random(0)) is None
    later = PortfolioResearcher({**nobody, "b": Closing(Pending())}, settings)
    assert later.propose(past([]), random.Random(0)) == Pending()
    assert PortfolioResearcher({**nobody, "b": Closing(Pending(final=True))}, settings).propose(
        past([]), random.Random(0)
    ) is None  # fmt: skip
    later.close()
    assert len(closed) == 3


def test_its_options_are_checked_and_passed_on():
    make = partial(build, Kind.RESEARCHER, "portfolio")
    made = make({"members": "evolve, code", "evolve.population": 5, "control_share": 0.2})
    assert made.researchers["evolve"] == EvolveResearcher(population=5)
    assert set(made.researchers) == {"evolve", "code", "random"}
    for options, words in [
        ({"members": "evolve,nobody"}, "there is no 'nobody'"),
        ({"members": "evolve,inbox"}, "inbox cannot be a member"),
        ({"control_share": 2}, r"researcher\.options\.control_share"),
        ({"evolve.speed": 1}, r"researcher\.options\.speed"),
        ({"bayes.speed": 1}, "no member"),
    ]:
        with pytest.raises(StudyError, match=words):
            make(options)


def test_the_past_is_what_the_record_says():
    lab = campaign(0, portfolio(EvolveResearcher()), 60)
    state, seen = lab.state, ResearchHistory(lab.state, lab.state.screened)
    assert len(seen) == len(state.screened) <= LONG_MEMORY
    finding = next(one for one in seen if one.effect is not None)
    assert finding.effect == state.hypotheses[finding.id].finding.effect
    assert finding.trials >= 2 * 8 + 3
    claimed = [cost(state, one) for one in state.hypotheses.values()]
    assert sum(trials for trials, _ in claimed) <= state.trials
    assert seen[-1] == seen[len(seen) - 1] == seen[-1:][0]
    view = view_of(state, lab.context.arena, 1)
    assert view.supported == sum(one.verdict is Verdict.SUPPORTED for one in view.tried) > 0
    assert [one.id for one in view.tried] == [one.id for one in state.screened[-MEMORY:]]


def test_members_that_rest_are_not_asked_and_the_control_never_rests():
    who = PortfolioResearcher({"evolve": Double(None), "late": Double(None)}, PortfolioSettings("evolve,late", "late"))
    view = past([("evolve", 0.1)] * 20)
    for number in range(1, 30):
        seen = replace(view, number=number, resting=frozenset({"evolve"}))
        assert who.order(seen, random.Random(number)) == ["late"]
        seen = replace(view, number=number, resting=frozenset({"evolve", "late"}))
        assert who.order(seen, random.Random(number)) == ["late"]
        # Nobody's rest changes what is left to chance for the others.
        mine, all_of_them = random.Random(number), random.Random(number)
        who.order(seen, mine)
        who.order(view, all_of_them)
        assert mine.getstate() == all_of_them.getstate()

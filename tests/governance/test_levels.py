"""Budgets at every level, under random costs, crashes and kills: no bound is ever passed, nothing stays set aside."""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs import coin_study, events, in_memory
from spenders import Heavy, Spender, Thinker

from novum.core.engine.context import Campaign
from novum.core.engine.dispatch import HEADROOM, dispatch, shares
from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.proposals import HypothesisRegistered, HypothesisWithdrawn, ProposalMade, ProposalRefused
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, HoldoutAnswered, HoldoutAsked
from novum.core.model.budget import AuthorBudget, Budget, LevelSettings, Share, Spent
from novum.core.model.errors import StudyError
from novum.core.model.study import (
    FollowUpSettings,
    GateSettings,
    HoldoutSettings,
    ResearcherSettings,
    ScreeningSettings,
)
from novum.core.model.trial import Limits
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.governance.hard_budget import HardBudget, check_levels
from novum.studies.load import parse_study

RESOURCES = ("trials", "cpu_seconds", "gpu_seconds", "tokens", "money", "disk_bytes", "holdout_queries")
RANGES = {
    "trials": (5, 400),
    "cpu_seconds": (1.0, 60.0),
    "gpu_seconds": (20.0, 400.0),
    "tokens": (100, 20_000),
    "money": (0.01, 2.0),
    "disk_bytes": (1000, 200_000),
    "holdout_queries": (1, 3),
}


class Answers:
    """A steward double: every query gets a yes."""

    def answers(self, state):
        query = state.holdout.waiting
        return [HoldoutAnswered(query.hypothesis, query.number, True, None, 0, "")] if query else []


def drawn(rng, share):
    """A budget with about two bounds on anything but wall time."""
    names = [name for name in RESOURCES if rng.random() < share]
    return {name: type(RANGES[name][0])(rng.uniform(*RANGES[name])) for name in names}


def world(seed):
    rng = random.Random(seed)
    levels = LevelSettings(
        (AuthorBudget("bot*", Budget(**drawn(rng, 0.3))), AuthorBudget("ann", Budget(**drawn(rng, 0.3)))),
        Budget(**drawn(rng, 0.2)),
    )
    study = coin_study(
        arena="scripted",
        seed=seed % 1000,
        gate=GateSettings(planned=5, max_pairs=8, calibration_pairs=4, estimate_pairs=2, refute_pairs=0),
        screening=ScreeningSettings(seeds=2, keep_one_in=1),
        follow_up=FollowUpSettings(share=0.0),
        holdout=HoldoutSettings(queries=4),
        budgets=levels,
        limits=Limits(seconds=20.0),
    )
    return study, Budget(wall_seconds=rng.uniform(5, 40), **{"trials": 300, **drawn(rng, 0.3)})


def session(study, budget, rng, ledger=None, slots=0):
    place = Spender(rng, slots=slots or rng.choice([1, 2, 5]))
    lab = in_memory(
        study, budget, arena=Heavy(), executor=place, ledger=ledger, slots=place.slots, researcher=Thinker(rng)
    )
    lab.holdout_service, lab.clock = Answers(), place.clock
    lab.campaign = Campaign(lab.state, dataclasses.replace(lab.context, control=None))
    lab._started = 0.0
    return lab


def lived(study, budget, seed):
    """The last lab of a campaign whose process is killed at random moments, and taken up again each time."""
    rng = random.Random(seed + 1)
    lab = session(study, budget, rng)
    for _ in range(rng.randrange(4)):
        for _ in range(rng.randrange(60)):
            if not lab.step():
                break
        lab = session(study, budget, rng, lab.ledger)  # whatever was in flight is gone, as after kill -9
    lab.run()
    return lab


def truth(lab):
    """What was used at each level, from the events alone and by other means than the state's."""
    used = defaultdict(lambda: defaultdict(float))
    payer, author, plan, asked, thought = {}, {}, {}, {}, defaultdict(lambda: defaultdict(float))
    for event in events(lab):
        if isinstance(event, HypothesisRegistered):
            author[event.id] = event.author
            payer[event.id] = event.id
            payer.setdefault(event.candidate.id, event.id)
        elif isinstance(event, GroupDispatched):
            plan[event.plan.id] = event.plan, None if event.plan.purpose is Purpose.CALIBRATE else event.plan.subject
        elif isinstance(event, TrialFinished):
            group, subject = plan[event.group]
            amounts = {
                "trials": 1,
                "cpu_seconds": event.cpu_seconds,
                "gpu_seconds": event.wall_seconds / len(group.members),
                "disk_bytes": event.stored_bytes,
            }
            owner = payer.get(subject)
            for level in ["lab"] + ([owner, author[owner]] if owner else []):
                for name, amount in amounts.items():
                    used[level][name] += amount
        elif isinstance(event, ModelAsked):
            asked[event.request] = event.author
        elif isinstance(event, ModelReplied) and event.request in asked:
            who = asked[event.request]
            for level in ("lab", who):
                used[level]["tokens"] += event.input_tokens
                used[level]["money"] += event.money
            thought[who]["tokens"] += event.input_tokens
            thought[who]["money"] += event.money
            used["a thought"]["tokens"] = max(used["a thought"]["tokens"], thought[who]["tokens"])
            used["a thought"]["money"] = max(used["a thought"]["money"], thought[who]["money"])
        elif isinstance(event, ProposalMade):
            thought.pop(event.author, None)
        elif isinstance(event, HoldoutAsked):
            for level in ("lab", event.hypothesis, author[event.hypothesis]):
                used[level]["holdout_queries"] += 1
    return used, author


def bounds_of(budget):
    return {name: bound for name in RESOURCES if (bound := getattr(budget, name)) is not None}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**9))
def test_no_bound_is_passed_at_any_level_whatever_trials_cost_and_however_the_lab_dies(seed):
    study, budget = world(seed)
    lab = lived(study, budget, seed)
    used, author = truth(lab)
    for name, bound in bounds_of(budget).items():
        assert used["lab"][name] <= bound + 1e-9, ("lab", name)
    for one in study.budgets.researchers:
        mine = [used[name] for name in set(author.values()) | {"ann", "bot:one", "bot:two"} if _fits(name, one.author)]
        for name, bound in bounds_of(one.budget).items():
            assert sum(each[name] for each in mine) <= bound + 1e-9, (one.author, name)
    for name, bound in bounds_of(study.budgets.hypothesis).items():
        assert max([used[each][name] for each in [*author, "a thought"]]) <= bound + 1e-9, ("a hypothesis", name)
    assert lab.state.wall_seconds <= budget.wall_seconds + 1e-9
    used_and_set_aside_together_pass_none_either(lab, budget)
    what_the_lab_knows_of_its_expenses_is_what_its_events_say(lab, used, author)


def _fits(name, pattern):
    return name.startswith(pattern.rstrip("*"))


def used_and_set_aside_together_pass_none_either(lab, budget):
    state = CampaignState()
    for event in events(lab):
        apply(state, event)
        if isinstance(event, GroupDispatched):
            whole = [Share("the lab", budget, state.spent)]
            for share in whole + shares(state, state.spending.payer(event.plan)):
                for name, bound in bounds_of(share.budget).items():
                    assert getattr(share.spent, name) <= bound + 1e-9, (share, name)


def what_the_lab_knows_of_its_expenses_is_what_its_events_say(lab, used, author):
    spending = lab.state.spending
    assert spending.in_flight == Spent()
    for name, known in {**spending.hypotheses, **spending.authors}.items():
        for resource in RESOURCES:
            assert getattr(known, resource) == pytest.approx(used[name][resource]), (name, resource)
    assert lab.state.trials == used["lab"]["trials"]
    assert set(spending.hypotheses) <= set(author)


@pytest.fixture(scope="module")
def idle():
    """A lab that knows what trials cost, has five workers free, and an author with a share."""
    study, _ = world(3)
    study = dataclasses.replace(study, budgets=LevelSettings((AuthorBudget("ann", Budget(trials=300)),)))
    lab = session(study, Budget(trials=600, wall_seconds=1e6), random.Random(3), slots=5)
    while lab.state.in_flight or not lab.state.spending.authors.get("ann"):
        lab.step()
    return lab


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=6),
    st.sampled_from(["trials", "cpu_seconds", "gpu_seconds"]),
    st.floats(0.05, 3.0),
    st.booleans(),
)
def test_groups_that_are_sent_together_share_what_is_left(idle, sizes, name, room, shared):
    """`room`: what is left of a budget of `name`, as a multiple of what all the groups would have set aside."""
    state, context = idle.state, idle.context
    theirs = next(one for one in state.hypotheses.values() if one.registered.author == "ann")
    plans = [
        Plan(f"p{n}", Purpose.SCREEN, theirs.candidate.id, Side.CANDIDATE, theirs.candidate, _members(size))
        for n, size in enumerate(sizes)
    ]
    used = state.spending.by_authors("ann") if shared else state.spent
    wanted = {
        "trials": sum(sizes),
        "cpu_seconds": HEADROOM * sum(sizes) * state.prices.dearest[0],
        "gpu_seconds": 20.0 * len(sizes),
    }
    left = room * wanted[name]
    bound = Budget(**{name: getattr(used, name) + left})
    levels = LevelSettings((AuthorBudget("ann", bound),)) if shared else LevelSettings()
    whole = Budget(trials=10_000) if shared else bound
    study = dataclasses.replace(context.study, budgets=levels)
    before, rules = state.budget, state.study
    state.budget, state.study = whole, study
    sent = dispatch(Campaign(state, dataclasses.replace(context, study=study, governor=HardBudget(whole))), plans)
    state.budget, state.study = before, rules
    amounts = {
        "trials": sum(len(one.plan.members) for one in sent),
        "cpu_seconds": sum(one.cpu_seconds for one in sent),
        "gpu_seconds": 20.0 * len(sent),
    }
    assert all(one.gpu_seconds == 20.0 for one in sent)
    assert len(sent) <= 5 and amounts[name] <= left + 1e-9
    assert room < 2.0 or len(sent) == min(5, len(sizes))  # nothing is held back without need


def _members(size):
    return tuple(Member(index, {}) for index in range(size))


def test_reservations_of_trials_that_died_are_free_again():
    study, budget = world(4)
    lab = session(study, dataclasses.replace(budget, cpu_seconds=30.0, wall_seconds=1e6), random.Random(0))
    while not lab.state.in_flight:
        lab.step()
    assert lab.state.spending.in_flight.cpu_seconds > 0
    again = session(study, budget, random.Random(0), lab.ledger)
    assert again.state.spending.in_flight == Spent()
    assert again.state.cpu_seconds == lab.state.cpu_seconds


def test_a_share_that_is_used_up_ends_only_its_owners_work():
    study, _ = world(1)
    levels = LevelSettings((AuthorBudget("bot*", Budget(trials=12)),))
    study = dataclasses.replace(study, budgets=levels)
    lab = session(study, Budget(trials=200), random.Random(1))
    lab.run()
    used, _ = truth(lab)
    assert used["bot:one"]["trials"] + used["bot:two"]["trials"] <= 12 < used["ann"]["trials"]
    refusals = [event.reason for event in events(lab) if isinstance(event, ProposalRefused)]
    withdrawn = [event.reason for event in events(lab) if isinstance(event, HypothesisWithdrawn)]
    assert any("the budget of bot*:" in reason for reason in [*refusals, *withdrawn])


def test_a_hypothesis_that_cannot_be_paid_to_its_end_is_not_begun():
    study, _ = world(1)
    study = dataclasses.replace(study, budgets=LevelSettings(hypothesis=Budget(trials=9)))
    lab = session(study, Budget(trials=100), random.Random(1))
    lab.run()
    assert not [event for event in events(lab) if isinstance(event, ConfirmationOpened)]
    reasons = {event.reason for event in events(lab) if isinstance(event, HypothesisWithdrawn)}
    assert any("may take 20 trials" in reason and "of 9 trials used" in reason for reason in reasons)


def test_a_researcher_is_not_asked_once_its_share_is_spent_and_the_session_says_so():
    share = AuthorBudget("evolve", Budget(trials=100))
    lab = in_memory(coin_study(budgets=LevelSettings((share,))), Budget(trials=2000))
    reason = lab.run()
    assert "the budget of evolve: " in reason
    assert not [event for event in events(lab) if isinstance(event, ProposalRefused)]
    assert lab.state.spending.authors["evolve"].trials <= 100
    assert lab.state.trials < 150


def test_a_portfolio_goes_on_without_the_member_whose_share_is_spent():
    share = AuthorBudget("evolve", Budget(trials=100))
    study = coin_study(researcher=ResearcherSettings("portfolio"), budgets=LevelSettings((share,)))
    lab = in_memory(study, Budget(trials=400))
    lab.run()
    used = lab.state.spending.authors
    assert used["evolve"].trials <= 100 < used["random"].trials
    assert not [event for event in events(lab) if isinstance(event, ProposalRefused) and "budget" in event.reason]


def test_study_files_say_who_may_use_what():
    study = parse_study(
        """
        name = "shares"
        arena = "coinflip"
        [budgets]
        hypothesis = "200 trials, cpu 1m"
        [[budgets.researchers]]
        author = "language*"
        budget = "50k tokens, $1"
        """,
        "shares.toml",
    ).study
    assert study.budgets.hypothesis == Budget(trials=200, cpu_seconds=60)
    assert study.budgets.researchers == (AuthorBudget("language*", Budget(tokens=50_000, money=1.0)),)


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(wall_seconds=3), "cannot have a share of wall time"),
        (Budget(trials=60), "60 trials, and a hypothesis may need 79"),
    ],
)
def test_shares_that_make_no_sense_are_refused(budget, words):
    for levels in (LevelSettings(hypothesis=budget), LevelSettings((AuthorBudget("ann", budget),))):
        with pytest.raises(StudyError, match=words):
            check_levels(coin_study(budgets=levels), 1)


def test_a_share_that_cannot_be_read_is_named_with_its_line():
    text = 'name = "shares"\narena = "coinflip"\n[budgets]\nhypothesis = "many trials"\n'
    with pytest.raises(StudyError, match=r"line 4.*cannot read 'many trials'"):
        parse_study(text, "shares.toml")

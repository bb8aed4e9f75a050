"""Authors that fail ever more, or run into the same wall over and over, rest a while; ordinary ones never do."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from labs import coin_study, events, failing, in_memory, scored
from scipy.stats import binomtest, fisher_exact
from watched import Machine, Place, Proposer, acts, interventions, scripted, settings, watched

from novum.core.events.proposals import ProposalMade, ProposalRefused
from novum.core.model.budget import Budget
from novum.core.model.intervention import Alarm, Step
from novum.core.model.request import Act, Request
from novum.core.model.study import GateSettings, WatchdogSettings
from novum.core.model.trial import OutcomeKind
from novum.core.state.author_stats import AuthorStats, alike
from novum.core.state.campaign_state import CampaignState
from novum.governance.alarms.alarm_inputs import AlarmInputs, alarm_inputs
from novum.governance.alarms.authors import dead_end, failure_rate
from novum.governance.binomial import more_than_before, more_than_half
from novum.governance.watchdog import RuleWatchdog


def crashing(group):
    """Candidates that raise crash, with a cause that differs in a number."""
    act, level = group.candidate.genome["act"], group.candidate.genome["level"]
    return failing(group, OutcomeKind.CRASHED, f"ValueError: no {level}") if act == "raise" else scored(group)


def sound_then(act, good=25):
    """Sound candidates first, then only ones that do `act`."""
    return Proposer(lambda n: {"act": "nonsense", "level": n} if n <= good else {"act": act, "level": n % 40})


def authors(lab):
    return {event.number: event.author for event in events(lab) if isinstance(event, ProposalMade)}


@pytest.mark.parametrize("counts", [(8, 8, 0, 20), (10, 20, 2, 40), (20, 20, 19, 40), (12, 19, 0, 1), (0, 8, 3, 9)])
def test_chances_are_those_of_the_textbook(counts):
    failed, count, failed_before, before = counts
    table = [[failed, count - failed], [failed_before, before - failed_before]]
    assert more_than_before(*counts) == pytest.approx(fisher_exact(table, "greater").pvalue)
    assert more_than_half(failed, count) == pytest.approx(binomtest(failed, count, 0.5, "greater").pvalue)


def test_an_author_whose_failures_rise_rests_and_the_control_goes_on():
    def plan(group):
        crashed = crashing(group)
        kinds = ("ValueError", "KeyError", "TypeError")
        cause = f"{kinds[group.candidate.genome['level'] % 3]}: no 7"
        return failing(group, OutcomeKind.CRASHED, cause) if crashed[0].failure else crashed

    lab = watched(scripted(), 1500, place=Place(plan), researcher=sound_then("raise"))
    lab.run()
    first = next(one for one in interventions(lab) if one.step is Step.REST)
    assert (first.alarm, first.subject) == (Alarm.FAILURE_RATE, "evolve")
    figures = first.evidence
    assert figures["rest"] == 10
    assert figures["failed"] * 2 >= figures["hypotheses"]
    assert figures["chance"] < 1e-3
    expected = [figures[name] for name in ("failed", "hypotheses", "failed_before", "before")]
    counts = [int(value) for value in expected]
    chance = more_than_before(*counts) if counts[3] else more_than_half(*counts[:2])
    assert figures["chance"] == chance
    assert "Error: no 7" in first.words
    asked = authors(lab)
    rest = range(first.until - 10, first.until)
    assert all(asked[number] == "random" for number in rest if number in asked)
    assert asked[first.until - 11] == "evolve"
    assert asked[first.until] == "evolve"


def test_a_rest_is_longer_each_time_and_said_once():
    lab = watched(scripted(), 2000, place=Place(crashing), researcher=sound_then("raise"))
    lab.run()
    rests = [one for one in interventions(lab) if one.step is Step.REST]
    assert [one.evidence["rest"] for one in rests[:3]] == [10, 20, 40]
    assert all(later.until - later.evidence["rest"] > one.until for one, later in pairwise(rests))


def test_proposals_refused_for_one_reason_are_a_dead_end():
    study = scripted(researcher=scripted().researcher)
    lab = watched(study, 200, researcher=Proposer(lambda n: {"act": "score", "level": 1000 + n}))
    lab.run()
    first = interventions(lab)[0]
    assert (first.alarm, first.step, first.subject) == (Alarm.DEAD_END, Step.REST, "evolve")
    assert first.evidence == {"proposals": 12, "rest": 10}
    assert "gene 'level' cannot be" in first.words
    refused = [event.number for event in events(lab) if isinstance(event, ProposalRefused)]
    assert refused[:12] == list(range(1, 13))
    assert 13 not in refused  # the control's


def test_different_reasons_are_no_dead_end():
    genomes = ({"act": "score", "level": 99}, {"act": "fly", "level": 1}, {"weight": 3})
    lab = watched(scripted(), 100, researcher=Proposer(lambda n: genomes[n % 3] if n < 60 else None))
    lab.run()
    assert acts(lab) == []


def test_the_control_never_rests():
    study = scripted(researcher=type(scripted().researcher)("random"))
    lab = watched(study, 100, researcher=Proposer(lambda n: {"act": "score", "level": 1000 + n}))
    while lab.state.proposals < 30:
        lab.step()
    assert acts(lab)[0] == ("dead_end", "note", "random")
    assert not lab.state.intervention_log.rests("random", lab.state.proposals)
    assert [one.evidence["rest"] for one in interventions(lab)][:3] == [10, 20, 40]  # said ever more rarely


def test_somebody_outside_rests_alone_and_is_told_why():
    class Box:
        def __init__(self, requests):
            self.requests = requests

        def waiting(self):
            return list(self.requests)

        def done(self, request):
            self.requests.remove(request)

    names = [*["mcp:one"] * 12, "mcp:one", "mcp:two"]
    bodies = [{"genome": {"metal": 0, "edge": 0, "spin": 0, "shade": 0}}] * 13 + [
        {"genome": {"metal": 4, "edge": 4, "spin": 2, "shade": 63}}
    ]
    requests = [
        Request(f"r{n}", Act.PROPOSE, who, body) for n, (who, body) in enumerate(zip(names, bodies, strict=True))
    ]
    lab = watched(coin_study(), 200)
    lab.mailbox = Box(requests[:12])
    for _ in range(20):
        lab.step()
    assert ("dead_end", "rest", "mcp:one") in acts(lab)
    lab.mailbox.requests = requests[12:]
    for _ in range(5):
        lab.step()
    made = {event.author: event.number for event in events(lab) if isinstance(event, ProposalMade)}
    refusals = {event.number: event.reason for event in events(lab) if isinstance(event, ProposalRefused)}
    assert "lets mcp:one rest: see `novum interventions`" in refusals[made["mcp:one"]]
    assert made["mcp:two"] not in refusals


def test_trials_that_were_lost_are_nobodys_failure():
    lost = lambda group: failing(group, OutcomeKind.LOST) if group.candidate.genome["level"] else scored(group)  # noqa: E731
    lab = watched(scripted(), 300, place=Place(lost))
    lab.run()
    assert lab.state.outcomes[OutcomeKind.LOST] > 100
    assert acts(lab) == [("plateau", "explore", "")] * len(acts(lab))


def test_reasons_are_alike_but_for_numbers_addresses_and_what_stands_between_their_ends():
    one = "crashed: exit status 1\nTraceback\n  File 'x.py', line 12\nValueError: 3.5e-7 at 0x7f01"
    other = "crashed: exit status 1\nTraceback\n  File 'y.py', line 99\nValueError: 12 at 0x7f99"
    assert alike(one) == alike(other)
    assert alike(one) != alike(one.replace("ValueError", "KeyError"))
    assert alike("the same program as candidate 3fa9c0deadbe") == alike("the same program as candidate 00aa11bb22cc")
    assert alike("already tried") != alike("identical")
    assert alike("") == ""


ALONE = AlarmInputs(WatchdogSettings(), foreign=False, controls=frozenset({"random"}), explores=True)


def constant(rate, rng, hypotheses=200, causes=5):
    """Alarms about an author of whose ideas always the same share fails, in a campaign of so many hypotheses."""
    state, found = CampaignState(), Counter()
    for number in range(hypotheses):
        state.proposals = number
        if state.intervention_log.rests("a", number + 1):
            continue
        cause = "" if rng.random() >= rate else f"crashed: {'abcde'[rng.randrange(causes)]}"
        author_stats = state.alarm_signals.author_stats("a")
        author_stats.add(cause, 20)
        author_stats.end(cause)
        for one in [*dead_end(state, ALONE), *failure_rate(state, ALONE)]:
            found[one.alarm] += 1
            state.intervention_log.intervened(one)
            state.alarm_signals.intervened(one, None)
    return found


@pytest.mark.parametrize(("rate", "most"), [(0.0, 0.0), (0.1, 0.02), (0.3, 0.05), (0.5, 0.05)])
def test_a_constant_rate_of_failures_raises_hardly_an_alarm(rate, most):
    rng = random.Random(7)
    campaigns = [constant(rate, rng) for _ in range(100)]
    assert sum(bool(found[Alarm.FAILURE_RATE]) for found in campaigns) / 100 <= most
    assert sum(bool(found[Alarm.DEAD_END]) for found in campaigns) == 0


def test_a_window_forgets_and_remembers_the_right_ones():
    author_stats = AuthorStats()
    for number in range(30):
        author_stats.add("bad" if number < 12 else "", 20)
    assert (author_stats.failed, len(author_stats.recent), author_stats.earlier, author_stats.earlier_failed) == (
        2,
        20,
        10,
        10,
    )
    author_stats.clear()
    assert (author_stats.recent, author_stats.earlier) == ([], 10)


@pytest.mark.parametrize("world", ["mixed", "null"])
def test_ordinary_campaigns_of_coins_raise_no_alarm(world):
    """But that the search has come to its end: among mixed coins only once one within a tenth of the best is known."""
    from novum.arenas.coinflip import chance

    best = 0.5 + 0.0707 + 0.0354 + 0.1414
    seen = Counter()
    for seed in range(10):
        study = coin_study(seed=seed, options={"world": world}, gate=GateSettings(planned=40))
        lab = in_memory(study, Budget(trials=400), secret=bytes([seed]) * 32)
        lab.watchdog = RuleWatchdog(alarm_inputs(study, lab.context.arena), Machine())
        lab.run()
        found = interventions(lab)
        seen.update(one.alarm for one in found)
        assert world == "null" or not found or chance(lab.state.incumbent.candidate.genome, world) > 0.9 * best
    assert set(seen) <= {Alarm.PLATEAU}
    assert seen[Alarm.PLATEAU] <= (10 if world == "mixed" else 3)


def test_what_is_off_is_not_looked_for():
    study = scripted(watchdog=settings(off=(Alarm.FAILURE_RATE, Alarm.DEAD_END, Alarm.PLATEAU)))
    lab = watched(study, 300, place=Place(crashing), researcher=sound_then("raise"))
    lab.run()
    assert acts(lab) == []

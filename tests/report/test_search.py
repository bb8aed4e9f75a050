from __future__ import annotations

import re
from dataclasses import replace

import pytest
from labs import past
from tests.support.views import index_of

from novum.core.events.campaign import CampaignOpened, IncumbentChanged
from novum.core.events.event import EVENT_TYPES, Event, Known, Record, kind_of, told
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.events.trials import TrialFinished
from novum.core.model.candidate import Candidate, Cost
from novum.core.model.errors import UserError
from novum.core.model.trial_plan import Purpose
from novum.core.state.fold import fold
from novum.ledger.journal import Reader
from novum.views import lineage as of
from novum.views.candidate_comparison import difference
from novum.views.record_search import FailureQuery, Query, Search, failures, grouped, subjects


@pytest.fixture(scope="module")
def records():
    return list(past(900).ledger.read())


@pytest.fixture(scope="module")
def crashing(by_hand):
    with Reader(by_hand) as reader:
        return list(reader.read())


def found(records, **query):
    return list(Search(Query(**query)).find(records))


def test_every_event_has_a_line_of_words_without_control_characters(records):
    lines = found(records)
    assert [entry.record for entry in lines] == records
    for entry in lines:
        assert entry.words
        assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u202a-\u202e]+", entry.words)


def test_every_kind_of_event_has_a_literal_name_and_a_sentence():
    for kind, event_type in EVENT_TYPES.items():
        assert kind_of(event_type) == kind
        assert event_type.sentence is not Event.sentence, kind


def test_hostile_words_are_shown_in_one_line_and_do_nothing(records):
    claim = next(r for r in records if isinstance(r.event, ProposalMade))
    said = replace(claim.event, rationale="a\x1b[2Jb\nc\u202ed\x07")
    assert told(said, Known()).endswith("(ab cd)")


def test_a_search_finds_what_reading_everything_finds(records):
    kinds = frozenset({"verdict_reached", "finding_recorded"})
    assert [e.record for e in found(records, kinds=kinds)] == [r for r in records if r.kind in kinds]
    assert [e.record for e in found(records, actor="gate")] == [r for r in records if r.actor == "gate"]
    assert [e.record for e in found(records, after=50)] == records[50:]
    supported = [e.record for e in found(records, text="SUPPORTED after")]
    assert supported
    assert all(r.kind in ("verdict_reached", "follow_up_closed") for r in supported)


def test_a_subject_brings_its_proposal_its_screening_and_its_trials(records):
    state = fold(r.event for r in records)
    finding = state.findings[0]
    names = subjects(records, finding.id)
    kinds = [e.record.kind for e in Search(Query(subject=finding.id), names).find(records)]
    for kind in ("proposal_made", "hypothesis_registered", "candidate_tuned", "verdict_reached", "finding_recorded"):
        assert kinds.count(kind) >= 1
    own = [e.record.event for e in Search(Query(subject=finding.id), names).find(records)]
    trials = [one.trial for one in own if isinstance(one, TrialFinished)]
    runs = {run.trial for runs in finding.runs.values() for run in runs.values()}
    assert runs < set(trials)
    trial = trials[-1]
    alone = list(Search(Query(subject=trial), subjects(records, trial)).find(records))
    assert [e.record.event.trial for e in alone] == [trial]
    with pytest.raises(UserError, match="nothing is called 'h99999'"):
        subjects(records, "h99999")


def test_a_search_in_parts_finds_what_it_finds_at_once(records):
    search, parts = Search(Query(kinds=frozenset({"trial_finished"}))), []
    for start in range(0, len(records), 97):
        parts += search.find(records[start : start + 97])
    assert [e.words for e in parts] == [e.words for e in found(records, kinds=frozenset({"trial_finished"}))]
    assert search.seen == records[-1].seq
    assert search.end


def test_failures_narrow_down_and_groups_add_up(crashing):
    state = fold(r.event for r in crashing)
    every = failures(state, FailureQuery(), "here")
    assert len(every) == len(state.failures)
    for query in (
        FailureQuery(kind=every[0].kind),
        FailureQuery(cause="SINGULAR"),
        FailureQuery(purpose=Purpose.SCREEN),
        FailureQuery(genes={"step": "7", "word": "plain"}),
        FailureQuery(genes={"step": "7.0"}),
    ):
        assert 0 < len(failures(state, query)) <= len(every)
    assert failures(state, FailureQuery(genes={"step": "7"})) == failures(state, FailureQuery(genes={"step": "7.0"}))
    assert not failures(state, FailureQuery(genes={"step": "seven"}))
    groups = grouped(every)
    assert sum(group.count for group in groups) == len(every)
    assert sum(group.cpu_seconds for group in groups) == pytest.approx(sum(line.cpu_seconds for line in every))
    assert len(groups) == len({line.kind for line in every})
    with pytest.raises(UserError, match="the genes of here are"):
        failures(state, FailureQuery(genes={"depth": "1"}), "here")


def test_a_difference_tells_genes_scores_and_every_comparison(records):
    state = fold(r.event for r in records)
    first = state.findings[0]
    told = difference(index_of(records), "baseline", first.id)
    assert {one.name for one in told.genes} == {
        name for name, value in first.candidate.genome.items() if value != state.incumbents[0].candidate.genome[name]
    }
    assert told.same_genes + len(told.genes) == len(first.candidate.genome)
    claim = next(one for one in told.comparisons if one.question == "claim")
    assert (claim.verdict, claim.e_value, claim.better) == ("supported", first.verdict.e_value, "b")
    assert claim.effect == first.finding.effect
    assert told.screening_gain == state.advantage(first)
    assert told.b.runs > 0
    back = difference(index_of(records), first.id, "baseline")
    assert [one.better for one in back.comparisons] == ["a" for _ in told.comparisons]
    assert {one.question.split()[0] for one in told.comparisons} >= {"claim", "replicate"}
    assert told.b == difference(index_of(records), state.incumbents[0].candidate.id[:8], first.candidate.id).b


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [("h1", "h1", "same candidate"), ("h1", "h99999", "no candidate is called"), ("baseline", "", "no candidate")],
)
def test_a_difference_needs_two_names_that_stand_for_something(records, a, b, said):
    with pytest.raises(UserError, match=said):
        difference(index_of(records), a, b)


def test_a_lineage_goes_down_to_the_baseline_and_names_each_descendant_once(records):
    family = index_of(records).ancestry
    last = family.state.findings[-1].id
    lineage = of.lineage(family, last)
    assert lineage.ancestors[0] == "baseline"
    assert sum("built on baseline" in line for line in of.ancestors(family, last)) >= 1
    whole = of.lineage(family, "baseline")
    assert set(whole.descendants) == set(family.state.hypotheses)
    lines = of.descendants(family, "baseline")
    named = [re.search(r"h\d+", line).group() for line in lines]
    assert sorted(named) == sorted(family.state.hypotheses)
    assert {edge.child for edge in whole.edges} == set(family.state.hypotheses)
    for edge in lineage.edges:
        assert {edge.child, edge.origin} <= {node.id for node in lineage.nodes}


def test_names_of_a_lineage(records):
    family = index_of(records).ancestry
    crowned = family.state.incumbent.hypothesis
    assert family.name("incumbent") == crowned
    assert family.name(family.state.hypotheses["h1"].candidate.id) == "h1"
    with pytest.raises(UserError, match="no hypothesis is called 'g1'"):
        family.name("g1")


def test_a_line_of_descent_may_be_longer_than_the_stack(crashing):
    opened = next(r.event for r in crashing if isinstance(r.event, CampaignOpened))
    base = Candidate({"step": 0})
    events = [opened, IncumbentChanged(base, Cost(), None)]
    for n in range(1, 3001):
        parents = (f"h{n - 1}",) if n > 1 else ("h1",)
        events.append(
            HypothesisRegistered(
                f"h{n}", n, "a", Candidate({"step": n}), Cost(), base.id, "m", True, 0, parents, "", 0, 0
            )
        )
    records = [Record(n, n, "lab", kind_of(type(event)), event, "") for n, event in enumerate(events, start=1)]
    family = index_of(records).ancestry
    assert len(of.descendants(family, "h1")) == 2999
    assert len(of.ancestors(family, "h3000")) == 2 * 3000 - 1
    assert of.dot(of.lineage(family, "h3000")).count("->") == 3000 + 2999


def test_a_graph_quotes_what_others_wrote(records):
    claim = next(r for r in records if isinstance(r.event, HypothesisRegistered))
    genome = {**claim.event.candidate.genome, 'x"]; evil [label="': "\\"}
    bad = replace(claim, event=replace(claim.event, candidate=Candidate(genome)))
    family = index_of([replace(r, event=bad.event if r is claim else r.event) for r in records[: claim.seq]]).ancestry
    shown = of.dot(of.lineage(family, claim.event.id))
    line = next(line for line in shown.splitlines() if "evil" in line)
    assert re.fullmatch(r'  "h1" \[label="(?:[^"\\]|\\")*"\];', line)

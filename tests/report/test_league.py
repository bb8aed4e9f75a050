"""The league table adds up to the record, and its scores are right."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections import Counter

import pytest
from labs import coin_study, events, in_memory
from tests.support.views import index_of

from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.proposals import ProposalMade
from novum.core.events.trials import GroupDispatched
from novum.core.events.verdicts import ConfirmationOpened, FindingRecorded, FollowUpClosed, FollowUpOpened
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import UserError
from novum.core.model.model_call import Reply
from novum.core.model.study import ResearcherSettings
from novum.core.model.trial_plan import Aim, Purpose
from novum.core.model.verdict import Verdict
from novum.lab.session import session
from novum.report.calibration import chart, write
from novum.views.predictions import Prediction, bins, brier, reference, wilson


@pytest.fixture(scope="module")
def lab():
    study = coin_study(seed=2, researcher=ResearcherSettings("portfolio", {"control_share": 0.3, "cost": "trials"}))
    lab = in_memory(study, Budget(trials=1500))
    lab.run()
    return lab


@pytest.fixture(scope="module")
def table(lab):
    return index_of(lab.ledger.read()).authors.leaderboard()


def test_it_adds_up_to_the_record(lab, table):
    state, record = lab.state, events(lab)
    assert {line.author for line in table.lines} == {"evolve", "random"}
    assert sum(line.trials for line in table.lines) + table.lab_trials == state.trials
    cpu = sum(line.cpu_seconds for line in table.lines) + table.lab_cpu_seconds
    assert cpu == pytest.approx(state.cpu_seconds)
    assert sum(line.proposals for line in table.lines) == state.proposals
    assert sum(line.refused for line in table.lines) == state.refused
    verdicts = Counter(one.verdict.verdict for one in state.hypotheses.values() if one.verdict)
    assert sum(line.supported for line in table.lines) == verdicts[Verdict.SUPPORTED] > 0
    assert sum(line.refuted for line in table.lines) == verdicts[Verdict.REFUTED] > 0
    gains = {event.hypothesis: event.effect for event in record if isinstance(event, FindingRecorded)}
    standing = [gain for name, gain in gains.items() if not state.hypotheses[name].retracted]
    assert sum(line.confirmed_gain for line in table.lines) == pytest.approx(sum(standing))
    assert table.lines[0].confirmed_gain == max(line.confirmed_gain for line in table.lines)
    for line in table.lines:
        assert line.gain_per_cpu_hour == pytest.approx(3600 * line.confirmed_gain / line.cpu_seconds)
        assert line.predictions == sum(one.count for one in line.bins) <= line.registered


def test_trials_are_charged_to_whom_they_served(lab, table):
    authors = {one.id: one.registered.author for one in lab.state.hypotheses.values()}
    spent = Counter()
    for event in events(lab):
        if isinstance(event, GroupDispatched) and event.plan.purpose not in (Purpose.SCREEN, Purpose.CALIBRATE):
            spent[authors[event.plan.subject]] += len(event.plan.members)
    for line in table.lines:
        assert line.trials > spent[line.author] > 0


def test_a_proposal_is_one_prediction_and_open_ones_are_left_out():
    lab = in_memory(coin_study(), Budget(trials=20))
    lab.run()
    (line,) = index_of(lab.ledger.read()).authors.leaderboard().lines
    open_ones = [one for one in lab.state.hypotheses.values() if one.phase in ("screening", "confirming")]
    assert open_ones
    assert line.predictions <= line.registered - len(open_ones)


def test_a_retracted_finding_gives_nothing(lab):
    record = list(lab.ledger.read())
    found = next(one.event for one in record if isinstance(one.event, FindingRecorded))
    opened = next(
        one.event
        for one in record
        if isinstance(one.event, ConfirmationOpened) and one.event.hypothesis == found.hypothesis
    )
    again = [
        FollowUpOpened(found.hypothesis, Aim.REPLICATE, "", {}, dataclasses.replace(opened, position=0)),
        closing(found.hypothesis),
    ]
    upto = record.index(next(one for one in record if one.event is found)) + 1
    before = index_of(record[:upto]).authors.leaderboard()
    more = [dataclasses.replace(record[0], event=event) for event in again]
    after = index_of([*record[:upto], *more]).authors.leaderboard()
    owner = lab.state.hypotheses[found.hypothesis].registered.author
    was, now = (next(line for line in one.lines if line.author == owner) for one in (before, after))
    assert was.confirmed_gain == pytest.approx(now.confirmed_gain + found.effect)
    assert (was.retracted, now.retracted, now.supported) == (0, 1, was.supported)


def closing(name):
    values = {"hypothesis": name, "attempt": 1, "verdict": Verdict.REFUTED}
    return FollowUpClosed(**{**{one.name: None for one in dataclasses.fields(FollowUpClosed)}, **values})


def test_models_are_charged_to_who_asked_them():
    lab = in_memory(coin_study(), Budget(trials=5))
    lab.record([ModelAsked("r1", "big", "language", 100, 0.5)])
    lab.record([ModelReplied("r1", "big", Reply.EMPTY, "", "", "p", "r", 60, 20, 0.25, 1.0)])
    lab.record([ProposalMade(1, "language:b", Candidate({"spin": 2}), (), "", 0.9, 0.1, "r2")])
    lab.record([ModelReplied("r2", "big", Reply.PROPOSAL, "", "", "p", "r", 5, 5, 0.5, 1.0)])
    lines = {line.author: line for line in index_of(lab.ledger.read()).authors.leaderboard().lines}
    assert (lines["language"].tokens, lines["language"].money) == (80, 0.25)
    assert (lines["language:b"].tokens, lines["language:b"].money) == (10, 0.5)


def test_scores_of_predictions():
    known = [Prediction(0.9, True), Prediction(0.8, False), Prediction(0.1, False), Prediction(1.0, True)]
    assert brier(known) == pytest.approx((0.01 + 0.64 + 0.01 + 0) / 4)
    assert reference(known, 0.5) == 0.25
    assert brier([]) is None
    made = bins(known)
    assert [(one.low, one.count, one.came_true) for one in made] == [(0.1, 1, 0.0), (0.8, 1, 0.0), (0.9, 2, 1.0)]
    low, high = wilson(5, 10)
    assert (low, high) == pytest.approx((0.2693, 0.7307), abs=1e-3)


def test_the_chart_is_drawn_offline_and_names_are_data(tmp_path):
    drawn = chart({"evolve": bins([Prediction(0.1, False)] * 9), "<script>\x1b[31mx": bins([Prediction(0.7, True)])})
    write(drawn, tmp_path / "c.svg")
    write(drawn, tmp_path / "c.png")
    text = (tmp_path / "c.svg").read_text()
    assert "predicted probability" in text and "evolve" in text
    assert "<script>" not in text and "\x1b" not in text
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match=r"\.svg or \.png"):
        write(drawn, tmp_path / "c.gif")
    with pytest.raises(UserError, match="cannot be written"):
        write(drawn, tmp_path / "nowhere" / "c.svg")


def test_the_command_prints_a_table_json_and_the_chart(tmp_path):
    study = coin_study(researcher=ResearcherSettings("portfolio"))
    with session(study, Budget(trials=300), tmp_path / "lab") as lab:
        lab.run()
    command = [sys.executable, "-m", "novum.cli", "league", "--lab", str(tmp_path / "lab")]
    shown = subprocess.run([*command, "-o", str(tmp_path / "c.svg")], capture_output=True, text=True, check=True)
    assert "evolve" in shown.stdout and "Brier" in shown.stdout
    assert (tmp_path / "c.svg").stat().st_size > 1000
    said = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert {line["author"] for line in said["lines"]} == {"evolve", "random"}

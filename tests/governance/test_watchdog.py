"""The watchdog in a whole lab: what it does is in the record, repeated by nobody, and never touches evidence."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
from forgery import rewrite, text
from labs import ScriptedArena, coin_study, events, failing, foretold, in_memory, same, scored
from watched import Machine, Place, Proposer, Silent, acts, interventions, scripted, settings, watched

from novum.core.engine.context import Campaign
from novum.core.events.campaign import SessionEnded, SessionStarted
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, VerdictReached
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.trial import Limits, OutcomeKind
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply, fold
from novum.core.state.hypothesis import Phase
from novum.governance.alarms.alarm_inputs import alarm_inputs
from novum.governance.watchdog import RuleWatchdog
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.key import load_key
from novum.studies.load import parse_study
from novum.testing.memory_ledger import MemoryLedger


class Reported(ScriptedArena):
    """Candidates report their own score, so what is too good may be a trick."""

    @property
    def spec(self):
        return dataclasses.replace(super().spec, trust="reported by the candidate itself")


def eventful(group):
    """Levels 12 to 17 of every act diverge, level 5 leaps, and what raises crashes."""
    act, level = group.candidate.genome["act"], group.candidate.genome["level"]
    if 12 <= level < 18:
        return failing(group, OutcomeKind.DIVERGED, "loss is nan")
    if act == "raise":
        return failing(group, OutcomeKind.CRASHED, f"ValueError: no {level}")
    if level == 5:
        return [dataclasses.replace(one, artefact=b"\x60\xea") for one in scored(group)]
    return scored(group)


def dear(group):
    return 4.0 if group.candidate.genome["level"] == 9 else 0.01


def ideas(number):
    """Sound ones at first, then only what crashes."""
    return {"act": "score" if number <= 36 else "raise", "level": number % 40}


def study():
    return scripted(limits=Limits(seconds=30.0))


def lab_of(ledger=None, trials=450):
    place = Place(eventful, cost=dear)
    return watched(study(), trials, place=place, arena=Reported(), researcher=Proposer(ideas), ledger=ledger)


@pytest.fixture(scope="module")
def lab():
    lab = lab_of()
    lab.run()
    return lab


def test_much_happens_in_this_world(lab):
    kinds = {(alarm, step) for alarm, step, _ in acts(lab)}
    assert kinds >= {
        ("divergence", "note"),
        ("too_good", "quarantine"),
        ("too_good", "release"),
        ("runaway_cost", "withdraw"),
        ("dead_end", "rest"),
    }


def test_the_state_is_the_fold_of_the_ledger(lab):
    assert same(fold(events(lab)), lab.state)


def test_the_same_state_and_reading_give_the_same_events(lab):
    """A watchdog that has just come looks at every state as one does that was there all the time."""
    state, due = CampaignState(), []
    there = RuleWatchdog(alarm_inputs(study(), lab.context.arena), Machine())
    for event in events(lab):
        if state.session and not isinstance(event, SessionEnded | TrialFinished):
            came = RuleWatchdog(alarm_inputs(study(), lab.context.arena), Machine())
            due = due or list(there.look(state, 0.5))
            assert due in ([], list(came.look(state, 0.5))) or isinstance(event, Intervened)
            if due:
                assert due.pop(0) == event
            else:
                assert not isinstance(event, Intervened) or event.step == "release"
        apply(state, event)


def test_every_other_decision_is_what_decide_says_of_the_state(lab):
    ours = [event for event in events(lab) if isinstance(event, Intervened | HypothesisWithdrawn)]
    assert foretold(lab, [one for one in ours if getattr(one, "step", "") != "release"]) > 200


def test_no_confirmation_is_touched(lab):
    opened = {(event.hypothesis, event.attempt) for event in events(lab) if isinstance(event, ConfirmationOpened)}
    judged = {(event.hypothesis, event.attempt) for event in events(lab) if isinstance(event, VerdictReached)}
    still = {(one.id, one.attempt) for one in lab.state.open_hypotheses(Phase.CONFIRMING)}
    assert opened == judged | still
    withdrawn = {one.id for one in lab.state.open_hypotheses(Phase.WITHDRAWN)}
    assert withdrawn.isdisjoint(name for name, _ in opened)


@pytest.mark.parametrize("offset", [0, 1])
def test_a_lab_that_is_killed_anywhere_repeats_nothing_when_it_goes_on(lab, offset):
    record = events(lab)
    places = [n for n, event in enumerate(record) if isinstance(event, Intervened)]
    for place in places[offset::4]:
        ledger = MemoryLedger()
        ledger.append(record[: place + offset], durable=True)
        second = lab_of(ledger)
        second.run()
        assert acts(second) == acts(lab)
        assert len([e for e in events(second) if isinstance(e, SessionStarted)]) == 2


def test_a_look_costs_nothing_while_nothing_happens(lab, monkeypatch):
    watchdog = RuleWatchdog(alarm_inputs(study(), lab.context.arena), machine := Machine())
    watchdog.look(lab.state, 10.0)
    monkeypatch.setattr(watchdog, "_rules", None)
    monkeypatch.setattr(watchdog, "_stalls", None)
    assert [watchdog.look(lab.state, 10.0 + n / 100) for n in range(99)] == [()] * 99
    assert machine.reads == 1
    assert watchdog.look(lab.state, 11.0) == []
    assert machine.reads == 2


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    """The same world through the front door, with a group that is given up."""
    directory = tmp_path_factory.mktemp("lab") / "watched"
    clock = type("Clock", (), {"now": 0.0, "__call__": lambda self: self.now})()
    hung: list[str] = []

    def hangs(group):
        if group.candidate.genome["level"] == 7 and not hung:
            hung.append(group.id)
        return group.id in hung

    place = Place(eventful, cost=dear, hangs=hangs, clock=clock)
    arena, researcher = Reported(), Proposer(ideas)
    with session(
        study(), Budget(trials=700), directory, workers=1, problem=arena, researcher=researcher, place=place
    ) as lab:
        assert isinstance(lab.watchdog, RuleWatchdog)
        lab.campaign = Campaign(lab.state, dataclasses.replace(lab.context, critic=Silent()))
        lab.clock = clock
        lab.patience = 5.0
        lab._started = 0.0
        lab.run()
        return directory, lab.state, events(lab)


def test_the_record_of_such_a_lab_holds(on_disk):
    directory, state, _ = on_disk
    assert state.intervention_log.counts["stall", "give_up"] == 1
    result = verification.verify(directory, Reported())
    assert result.ok, result.lie


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("hypothesis_withdrawn", {"reason": "too dear"}, "was withdrawn after its confirmation had been opened"),
        ("intervened", {"step": "quarantine"}, "was put into quarantine"),
        ("intervened", {"step": "release"}, "let go from it"),
    ],
)
def test_who_takes_a_confirmation_away_is_found_out(on_disk, tmp_path, kind, payload, said):
    import shutil

    directory, _, record = on_disk
    copy = tmp_path / "lab"
    shutil.copytree(directory, copy)
    opened = next(e for e in record if isinstance(e, ConfirmationOpened) and e.hypothesis != "h5")
    about = {"hypothesis": opened.hypothesis, **payload}
    if kind == "intervened":
        about = {"alarm": "too_good", "subject": opened.hypothesis, "words": "", "evidence": {}, "until": 0, **payload}

    def insert(rows):
        place = next(
            n for n, row in enumerate(rows)
            if row[2] == "confirmation_opened" and json.loads(row[3])["hypothesis"] == opened.hypothesis
        )  # fmt: skip
        actor = "watchdog" if kind == "intervened" else "lab"
        rows.insert(place + 1, [rows[place][0], actor, kind, text(about)])

    rewrite(copy, insert, load_key(copy, create=False))
    result = verification.verify(copy, Reported())
    assert not result.ok
    assert said in result.lie


def test_everybody_is_told(on_disk, capsys, tmp_path):
    from novum.cli.printing.findings import print_findings
    from novum.cli.printing.live_panel import lines
    from novum.cli.watchdog_log import interventions as command
    from novum.report.report_page import write_report
    from novum.views.campaign_summary import summarise
    from novum.views.progress import progress

    directory, state, record = on_disk
    command(lab=directory, json=True)
    rows = json.loads(capsys.readouterr().out)
    found = [one for one in record if isinstance(one, Intervened)]
    assert [(row["alarm"], row["step"], row["about"]) for row in rows] == [(o.alarm, o.step, o.subject) for o in found]
    assert all(row["seq"] > 2 and row["time"] > 1e15 for row in rows)
    command(lab=directory)
    shown = " ".join(capsys.readouterr().out.split())
    assert "runaway cost" in shown
    assert "withdrawn" in shown
    print_findings([one for one in summarise(state).findings if one.id == "h5"])
    assert "called too good to be true: h5 gains" in capsys.readouterr().out
    write_report(directory, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "What the watchdog did" in page
    assert "was called too good to be true before it was confirmed" in page
    told = [line for line in lines(progress(state)) if line.startswith("watchdog")]
    assert len(told) == 3


def test_a_line_for_each_when_it_happens(capsys):
    from pathlib import Path

    from novum.cli.printing.live_panel import PlainWatcher

    lab = lab_of(trials=400)
    watcher = PlainWatcher(sys.stdout)
    watcher.begin(Path("here"), lab)
    lab.observe = watcher.show
    lab.run()
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("watchdog: ")]
    assert len(said) == len(interventions(lab)) > 2
    assert said[0].startswith(f"watchdog: {interventions(lab)[0].alarm.replace('_', ' ')}: ")


def test_a_run_that_the_watchdog_stops_says_why_and_fails(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        'name = "full"\narena = "coinflip"\nexecutor = "inline"\nbudget = "300 trials"\n\n'
        "[watchdog]\nfree_bytes = 1_000_000_000_000_000\npatience = 0.2\n"
    )
    command = [sys.executable, "-m", "novum.cli", "run", str(file), "--lab", str(tmp_path / "lab"), "--plain"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, ended.stderr
    assert "watchdog: disk: only" in ended.stdout
    assert "\nstopped by the watchdog: only" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_a_study_file_names_what_is_wrong_with_its_thresholds():
    given = 'name = "x"\narena = "coinflip"\n\n[watchdog]\ncost_factor = 5\noff = ["plateau"]\n'
    found = parse_study(given, "x.toml").study.watchdog
    assert (found.cost_factor, found.off) == (5.0, ("plateau",))
    with pytest.raises(StudyError, match=r"line 5: watchdog\.cost_factor"):
        parse_study(given.replace("= 5", "= 0.5"), "x.toml")
    with pytest.raises(StudyError, match=r"watchdog\.off"):
        parse_study(given.replace("plateau", "plates"), "x.toml")
    with pytest.raises(StudyError, match="unknown key; allowed here: off, grace_seconds"):
        parse_study(given.replace("cost_factor", "cost"), "x.toml")


def test_a_search_that_gains_nothing_is_helped_by_the_control():
    """All but the baseline lose a tenth of a point: every second of the next 20 ideas is the control's."""

    def plan(group):
        worse = group.candidate.genome["level"] > 0 or group.candidate.genome["act"] != "score"
        return (
            [dataclasses.replace(one, artefact=(400).to_bytes(2, "little")) for one in scored(group)]
            if worse
            else scored(group)
        )

    lab = watched(scripted(), 500, place=Place(plan))
    lab.run()
    found = interventions(lab)
    assert [(one.alarm, one.step) for one in found] == [("plateau", "explore")] * len(found)
    assert [one.evidence["screened"] for one in found[:2]] == [40, 80]
    made = {one.registered.number: one.registered.author for one in lab.state.hypotheses.values()}
    helped = range(found[0].until - 20, found[0].until)
    assert all(made.get(number, "random") == "random" for number in helped if number % 2)
    assert sum(made.get(number) == "evolve" for number in helped) >= 8
    assert "random" not in {who for number, who in made.items() if number < found[0].until - 20}


def test_a_lab_without_a_watchdog_is_as_before():
    plain = in_memory(coin_study(), Budget(trials=200))
    plain.run()
    assert plain.state.intervention_log.taken == 0
    assert settings() == coin_study().watchdog

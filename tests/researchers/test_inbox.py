"""The inbox waits for people and agents, idly, and no longer than its budget of time."""

from __future__ import annotations

import threading
import time

import pytest
from labs import coin_study, events, in_memory

from novum.core.events.proposals import ProposalMade
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.request import Act, Request
from novum.core.model.study import ResearcherSettings, ScreeningSettings
from novum.governance.mailbox import Mailbox
from novum.lab import wiring
from novum.lab.preflight import clear
from novum.lab.session import session

INBOX = coin_study(researcher=ResearcherSettings("inbox"), screening=ScreeningSettings(keep_one_in=1))
GENOME = {"metal": 4, "edge": 4, "spin": 2, "shade": 7}


class Box:
    """Requests in memory."""

    def __init__(self) -> None:
        self.requests = []

    def waiting(self):
        return list(self.requests)

    def done(self, request):
        self.requests.remove(request)


def test_it_waits_without_work_and_ends_with_its_time():
    lab = in_memory(INBOX, Budget(wall_seconds=1.5))
    began, cpu = time.monotonic(), time.process_time()
    reason = lab.run()
    assert 1.3 < time.monotonic() - began < 10.0
    assert time.process_time() - cpu < 1.2
    assert reason.startswith("budget: ") and reason.endswith(" of 2 seconds used")
    assert not lab.state.hypotheses


def test_a_proposal_from_outside_is_tried_and_judged_while_it_waits():
    lab = in_memory(INBOX, Budget(wall_seconds=3.0))
    box = lab.mailbox = Box()
    request = Request("r1", Act.PROPOSE, "mcp:agent/1", {"genome": GENOME, "probability": 0.7})
    threading.Timer(0.4, lambda: box.requests.append(request)).start()
    lab.run()
    (made,) = [event for event in events(lab) if isinstance(event, ProposalMade)]
    assert (made.author, made.request) == ("mcp:agent/1", "r1")
    assert [one.verdict.verdict for one in lab.state.hypotheses.values()] == ["supported"]


def test_a_stop_from_outside_ends_it_at_once(tmp_path):
    with session(INBOX, Budget(wall_seconds=60), tmp_path / "lab") as lab:
        threading.Timer(0.3, lambda: Mailbox(tmp_path / "lab").send(Act.STOP, "mcp:agent/1", {})).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            lab.run()
    assert time.monotonic() - began < 20


def test_its_preflight_does_not_wait_for_anybody(tmp_path):
    began = time.monotonic()
    with session(INBOX, Budget(wall_seconds=60), tmp_path / "lab") as lab:
        clear(lab, tmp_path / "lab", force=True)
    assert time.monotonic() - began < 20
    assert lab.state.preflight is not None


def test_without_a_bound_on_time_it_would_wait_for_ever_and_is_refused(tmp_path):
    budget = Budget(trials=100)
    with pytest.raises(StudyError, match=r"researcher\.name: inbox .* wall time"):
        wiring.check(INBOX, budget)
    with (
        pytest.raises(StudyError, match="wall time"),
        session(INBOX, budget, tmp_path / "lab"),
    ):
        pass
    assert not (tmp_path / "lab").exists()

"""Several requests to a model at once: as many as keep the lab busy, none twice, all ended with the lab."""

from __future__ import annotations

import random
import threading
import time

import labs
import pytest
from model_servers import Status, coins, serving
from tests.support.request_threads import none_left
from views import coin_view

from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.proposals import ProposalMade
from novum.core.model.budget import Budget
from novum.core.model.model_call import Reply
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.study import ResearcherSettings, ScreeningSettings
from novum.core.model.study_view import BudgetLeft
from novum.lab import verification
from novum.lab.session import session
from novum.registry import Kind, build

pytest.importorskip("pydantic_ai")


class Counting:
    """Answers a little later, and knows how many requests were there at once.

    enough: the first ones wait until so many were, however slowly these come.
    """

    def __init__(self, seconds: float, enough: int = 0) -> None:
        self.seconds, self.now, self.most, self.enough = seconds, 0, 0, enough
        self.lock, self.together = threading.Lock(), threading.Event()

    def __call__(self, body: dict) -> str:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.most >= self.enough:
                self.together.set()
        self.together.wait(20.0)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return coins(body)


def language(server, **more):
    return build(Kind.RESEARCHER, "language", {"model": server.openai, "backoff": 0.01, **more})


def view(number: int, reserved=()):
    return coin_view(number=number, means=BudgetLeft(reserved=frozenset(reserved)))


def asked_until_busy(researcher, number: int) -> list[str]:
    """The requests that are asked for until it says that it waits."""
    found: list[str] = []
    for _ in range(50):
        said = researcher.propose(view(number, found), random.Random(number))
        if not (isinstance(said, Pending) and said.ask):
            return found
        found.append(said.ask.request)
    raise AssertionError("it asks for ever")


def test_a_lab_asks_several_at_once_and_keeps_every_promise(tmp_path):
    act = Counting(0.1, enough=3)
    with serving(act) as server:
        settings = ResearcherSettings("language", {"model": server.openai, "in_flight": 5})
        study = labs.coin_study(researcher=settings, screening=ScreeningSettings(waiting=8))
        budget = Budget(trials=150, tokens=400_000, wall_seconds=100.0)
        with none_left(), session(study, budget, tmp_path / "lab") as lab:
            lab.run()
            events = labs.events(lab)
    assert 3 <= act.most <= 5
    asked = [one.request for one in events if isinstance(one, ModelAsked)]
    assert len(asked) == len(set(asked))
    replies = [one for one in events if isinstance(one, ModelReplied) and one.outcome is Reply.PROPOSAL]
    made = [one for one in events if isinstance(one, ProposalMade) and one.author.startswith("language:")]
    assert len(made) == len(replies) > 5
    assert verification.verify(tmp_path / "lab").ok


def test_it_asks_as_many_as_it_may():
    with serving(Counting(30.0)) as server:
        researcher = language(server, in_flight=3)
        assert len(asked_until_busy(researcher, 1)) == 3
        began = time.monotonic()
        researcher.close()
        assert time.monotonic() - began < 4.0


def test_with_others_beside_it_asks_once_a_turn():
    with serving(Counting(30.0)) as server:
        researcher = language(server, in_flight=3)
        researcher.share_turns()
        assert [len(asked_until_busy(researcher, number)) for number in (1, 2, 3, 4)] == [1, 1, 1, 0]
        assert researcher.fetch(view(9)) == Pending(), "out of turn nothing is asked"
        researcher.close()


def heard(researcher, number: int, reserved) -> Proposal | Pending:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        said = researcher.fetch(view(number, reserved))
        if isinstance(said, Proposal) or (said and said.consulted):
            return said
        time.sleep(0.01)
    raise AssertionError("no answer")


def test_who_waits_asks_for_more_and_who_fails_for_less():
    with serving(coins) as server:
        researcher = language(server)
        first = asked_until_busy(researcher, 1)
        assert len(first) == 2
        heard(researcher, 1, first)
        assert len(asked_until_busy(researcher, 2)) >= 2, "room for four, and one is still on its way"
        researcher.close()
    with serving(Status(500)) as server:
        researcher = language(server)
        first = asked_until_busy(researcher, 1)
        heard(researcher, 1, first)
        assert researcher._most == 1
        researcher.close()

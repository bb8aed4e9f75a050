"""Requests to a running lab: whole or not at all, taken once, recorded; a stop is heard at once."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from labs import coin_study, events, in_memory, same

from novum.core.engine.stages.propose import PATIENCE
from novum.core.events.models_and_people import RequestTaken
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.model.budget import Budget
from novum.core.model.errors import StorageError, UserError
from novum.core.model.request import Act, Request
from novum.core.model.study import ResearcherSettings
from novum.core.state.fold import fold
from novum.governance.mailbox import FOLDER, MAX_BYTES, MAX_REFUSED, MAX_WAITING, Mailbox
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.codec import plain
from novum.ledger.journal import Reader, is_held
from novum.researchers.random import RandomResearcher
from novum.text.canonical_json import canonical
from novum.text.secret_scan import Secrets


class Box:
    """Requests in memory."""

    def __init__(self, *requests: Request) -> None:
        self.requests = list(requests)

    def waiting(self):
        return list(self.requests)

    def done(self, request):
        self.requests.remove(request)


GENOME = {"metal": 4, "edge": 4, "spin": 2, "shade": 7}


def proposal(name="r1", author="alice", **body) -> Request:
    return Request(name, Act.PROPOSE, author, {"genome": GENOME, **body})


def test_a_proposal_of_a_person_is_tried_and_judged_like_any_other():
    lab = in_memory(coin_study(), Budget(trials=400))
    lab.mailbox = Box(proposal(rationale="heavy", probability=0.7, effect=0.1))
    lab.run()
    record = events(lab)
    made = next(event for event in record if isinstance(event, ProposalMade) and event.author == "alice")
    assert (made.probability, made.request, made.rationale) == (0.7, "r1", "heavy")
    claim = next(event for event in record if isinstance(event, HypothesisRegistered) and event.author == "alice")
    assert claim.candidate.genome == GENOME
    assert lab.state.hypotheses[claim.id].verdict is not None


@pytest.mark.parametrize("author", ["lab.wise:Owl", "LAB.wise:owl", "lab.wise:Owl/2", "lab.wise:Owl:big"])
def test_nobody_outside_signs_as_the_researcher_that_a_study_names_by_path(author):
    study = coin_study(researcher=ResearcherSettings("lab.wise:Owl"))
    lab = in_memory(study, Budget(trials=30), researcher=RandomResearcher())
    lab.mailbox = Box(proposal("r1", author), proposal("r2", "lab.wise:Owlet"), Request("r3", Act.RESUME, author, {}))
    lab.run()
    taken = {event.request: event for event in events(lab) if isinstance(event, RequestTaken)}
    assert "how a researcher of this study signs" in taken["r1"].note
    assert taken["r2"].note.startswith("proposal ")
    assert taken["r3"].note == ""
    assert {e.author for e in events(lab) if isinstance(e, ProposalMade) and e.request == "r1"} == set()


def test_the_members_of_a_portfolio_sign_their_own_proposals():
    options = {"members": "random, lab.wise:Owl", "control": "lab.wise:Cat"}
    study = coin_study(researcher=ResearcherSettings("portfolio", options))
    lab = in_memory(study, Budget(trials=30), researcher=RandomResearcher())
    lab.mailbox = Box(proposal("r1", "lab.wise:owl"), proposal("r2", "lab.wise:cat"), proposal("r3", "bob"))
    lab.run()
    taken = [event.note.partition(":")[0] for event in events(lab) if isinstance(event, RequestTaken)]
    assert taken == ["refused", "refused", "proposal 1"]


def test_a_request_is_taken_once_even_if_its_file_comes_back():
    lab = in_memory(coin_study(), Budget(trials=60))
    lab.mailbox = Box(proposal("r1"), proposal("r1"), proposal("r2", "bob"))
    lab.run()
    taken = [event for event in events(lab) if isinstance(event, RequestTaken)]
    assert [(one.request, one.author) for one in taken] == [("r1", "alice"), ("r2", "bob")]


@pytest.mark.parametrize(
    "body",
    [
        {"genome": None},
        {"genome": {"metal": [1]}},
        {"genome": {"gold": 1}},
        {"genome": GENOME, "probability": 2},
        {"genome": GENOME, "probability": "high"},
        {"genome": GENOME, "effect": float("nan")},
    ],
)
def test_nonsense_is_taken_down_with_the_reason_and_leads_to_nothing(body):
    lab = in_memory(coin_study(), Budget(trials=30))
    lab.mailbox = Box(Request("r1", Act.PROPOSE, "mallory", body))
    lab.run()
    (taken,) = [event for event in events(lab) if isinstance(event, RequestTaken)]
    assert taken.note.startswith("refused: ")
    assert not any(event.author == "mallory" for event in events(lab) if isinstance(event, ProposalMade))


def test_a_paused_lab_starts_nothing_and_goes_on_when_told():
    lab = in_memory(coin_study(), Budget(trials=200, wall_seconds=60))
    box = lab.mailbox = Box(Request("p", Act.PAUSE, "alice", {}))
    threading.Timer(0.5, lambda: box.requests.append(Request("q", Act.RESUME, "alice", {}))).start()
    began = time.monotonic()
    lab.run()
    assert time.monotonic() - began > 0.4
    names = [type(event).__name__ for event in events(lab)]
    pause, resume = (n for n, event in enumerate(events(lab)) if isinstance(event, RequestTaken))
    assert "GroupDispatched" not in names[pause:resume]
    assert "GroupDispatched" in names[resume:]


def test_a_paused_lab_ends_with_its_wall_time():
    lab = in_memory(coin_study(), Budget(wall_seconds=0.5))
    lab.mailbox = Box(Request("p", Act.PAUSE, "alice", {}))
    lab.run()
    assert lab.state.trials == 0


def test_a_mailbox_delivers_in_order_and_sets_nonsense_aside(tmp_path):
    box = Mailbox(tmp_path)
    assert box.waiting() == []
    names = [box.send(Act.PROPOSE, "alice", {"n": n}) for n in range(20)]
    folder = tmp_path / FOLDER
    (folder / "1-x.json").write_text("not json")
    (folder / "2-y.json").write_text(json.dumps({"act": "explode", "author": "a", "body": {}}))
    (folder / "3-z.json").symlink_to("/etc/passwd")
    (folder / "notes.txt").write_text("left alone")
    assert [request.id for request in box.waiting()] == names
    assert {path.suffix for path in folder.iterdir()} == {".json", ".refused", ".txt"}
    for request in box.waiting():
        box.done(request)
    assert box.waiting() == []
    assert not list(folder.glob("*.json"))


def test_strange_authors_and_huge_requests_are_refused(tmp_path):
    box = Mailbox(tmp_path)
    for author in ("", "a" * 99, "gate\nx", "\x1b[31m", "lab; rm"):
        with pytest.raises(UserError, match="author"):
            box.send(Act.PAUSE, author, {})
    with pytest.raises(UserError, match="allowed are"):
        box.send(Act.PAUSE, "a", {"x": "y" * MAX_BYTES})


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_in_the_mailbox_are_survived(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("box")
    (directory / FOLDER).mkdir()
    (directory / FOLDER / "1.json").write_bytes(data)
    assert Mailbox(directory).waiting() == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([10**400, -(10**20), float("nan"), float("inf"), 1e308, "\ud800", "h1", "\0\x1b[2J", "a" * 5000])
    | st.floats()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("rationale", "probability", "effect", "parents", "reason", "approval", "content", "what")
TRANSCRIPT = st.dictionaries(st.sampled_from(["brief", "log", "seconds", "status", "input_tokens"]), JSON)
GENES = st.sampled_from([GENOME, GENOME, GENOME]) | JSON | st.dictionaries(st.sampled_from(list(GENOME)), JSON)
BODY = st.fixed_dictionaries(
    {"genome": GENES}, optional=dict.fromkeys(FIELDS, JSON) | {"transcript": JSON | TRANSCRIPT}
)


@settings(max_examples=120, deadline=None)
@given(act=st.just(Act.PROPOSE) | st.sampled_from(list(Act)), body=BODY)
@example(Act.PROPOSE, {"genome": GENOME, "rationale": "\ud800"})
@example(Act.PROPOSE, {"genome": GENOME, "transcript": {"brief": "\ud800", "log": "\ud800"}})
@example(Act.PROPOSE, {"genome": GENOME, "effect": 10**400})
@example(Act.PROPOSE, {"genome": GENOME, "parents": None})
@example(Act.PROPOSE, {"genome": {"\ud800": 1}})
@example(Act.PAUSE, {"reason": "\ud800"})
@example(Act.EXPORT, {"what": "\ud800"})
def test_whatever_somebody_asks_is_in_the_record_and_the_lab_goes_on(tmp_path_factory, act, body):
    directory = tmp_path_factory.mktemp("box")
    box = Mailbox(directory)
    name = box.send(act, "mallory", body)
    lab = in_memory(coin_study(), Budget(trials=8))
    lab.mailbox = box
    lab.take_requests()
    (taken,) = [event for event in events(lab) if isinstance(event, RequestTaken)]
    assert (taken.request, taken.act, taken.author) == (name, act, "mallory")
    assert all(canonical(plain(event)) for event in events(lab))  # what cannot be written would end the lab
    assert not list((directory / FOLDER).iterdir())
    with pytest.raises(KeyboardInterrupt) if act is Act.STOP else nullcontext():
        lab.step()
    assert same(fold(events(lab)), lab.state)


def test_names_of_files_are_no_way_in_either(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir()
    good = json.dumps({"act": "pause", "author": "alice", "body": {}})
    for name in (b"1\xff.json", b"1\x1b[2J.json", b"1 2.json", b"1" * 200 + b".json"):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_text(good)
    (folder / "2.json").mkdir()
    os.mkfifo(folder / "3.json")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        assert Mailbox(tmp_path).waiting() == []
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
    assert {path.suffix for path in folder.iterdir()} == {".refused"}


def test_nobody_can_fill_the_mailbox_against_who_wants_to_stop(tmp_path):
    box = Mailbox(tmp_path)
    (tmp_path / FOLDER).mkdir()
    for number in range(MAX_WAITING):
        (tmp_path / FOLDER / f"{number:04}.json").write_text("junk")
    with pytest.raises(UserError, match="is the lab running"):
        box.send(Act.PROPOSE, "alice", {})
    for act in (Act.STOP, Act.PAUSE, Act.DENY):
        box.send(act, "alice", {})
    assert [one.act for one in box.waiting()] == [Act.STOP, Act.PAUSE, Act.DENY]
    assert len(list((tmp_path / FOLDER).glob("*.refused"))) == MAX_REFUSED
    box.send(Act.PROPOSE, "alice", {})


@pytest.mark.parametrize("kind", ["file", "loop", "fifo"])
def test_a_lab_that_nobody_could_stop_does_not_start(tmp_path, kind):
    place = tmp_path / "lab" / FOLDER
    place.parent.mkdir()
    {"file": place.touch, "loop": lambda: place.symlink_to(place), "fifo": lambda: os.mkfifo(place)}[kind]()
    assert Mailbox(place.parent).waiting() == []
    with pytest.raises(StorageError, match="cannot write to"):
        Mailbox(place.parent).send(Act.PAUSE, "alice", {})
    with (
        pytest.raises(UserError, match="nobody could stop this lab: move it away"),
        session(coin_study(), Budget(trials=10), place.parent),
    ):
        pass


def test_a_stop_that_came_too_late_stops_nobody_else(tmp_path):
    for trials in (20, 40):
        name = Mailbox(tmp_path).send(Act.STOP, "alice", {"reason": "enough"})
        with session(coin_study(), Budget(trials=trials), tmp_path) as lab:
            lab.run()
            assert lab.state.trials > trials - 10
            taken = next(event for event in events(lab) if isinstance(event, RequestTaken) and event.request == name)
        assert not list((tmp_path / FOLDER).iterdir())
        assert (taken.act, taken.author, taken.note) == (Act.STOP, "alice", "it came too late for its session")
    assert verification.verify(tmp_path).ok


def test_who_signs_with_a_secret_of_the_lab_is_one_and_the_same_in_the_record_and_before():
    lab = in_memory(coin_study(), Budget(trials=60))
    lab.secrets = Secrets(("hunter2hunter2",))
    lab.mailbox = Box(proposal("hunter2hunter2-1", "hunter2hunter2", parents=["h1"] * 500_000))
    lab.run()
    (taken,) = [event for event in events(lab) if isinstance(event, RequestTaken)]
    (made,) = [event for event in events(lab) if isinstance(event, ProposalMade) and event.request]
    assert (taken.author, made.author, len(made.parents) <= 1) == ("somebody", "somebody", True)
    assert "hunter2" not in str([taken, made])


def test_nobody_outside_brings_a_study_to_its_end():
    lab = in_memory(coin_study(), Budget(trials=300))
    start = dict(lab.state.incumbent.candidate.genome)
    asked = [Request(f"r{n}", Act.PROPOSE, "mallory", {"genome": start}) for n in range(PATIENCE + 20)]
    lab.mailbox = Box(*asked)
    assert lab.run().startswith("budget")
    assert lab.state.refused >= len(asked)
    assert lab.state.trials > 280


@pytest.mark.alone
def test_stopping_from_another_process_ends_busy_workers_within_a_second(tmp_path):
    study = tmp_path / "busy.toml"
    study.write_text(
        'name = "busy"\narena = "coinflip"\nexecutor = "local"\n[options]\nflips = 200000\n[limits]\nseconds = 60.0\n'
    )
    lab = tmp_path / "lab"
    runner = subprocess.Popen(
        [sys.executable, "-m", "novum.cli", "run", str(study), "--budget", "10m", "--workers", "2", "--lab", str(lab)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while len(_below(runner.pid)) < 4 and time.monotonic() < until:  # two servers, a busy child of each
            time.sleep(0.05)
        workers = _below(runner.pid)
        assert len(workers) >= 4
        began = time.monotonic()
        Mailbox(lab).send(Act.STOP, "alice", {"reason": "enough"})
        runner.wait(30)
        assert time.monotonic() - began < 4.5  # a second, and slack for a loaded machine
        assert not is_held(lab)
        assert not [pid for pid in workers if _alive(pid)]
    finally:
        if runner.poll() is None:
            runner.send_signal(signal.SIGKILL)
        runner.communicate()
    assert runner.returncode == 130
    with Reader(lab) as reader:
        kinds = [record.event for record in reader.read() if isinstance(record.event, RequestTaken)]
    assert [(one.act, one.author, one.note) for one in kinds] == [(Act.STOP, "alice", "enough")]
    assert verification.verify(lab).ok


def _below(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
            children = list(map(int, file.read().split()))
    except OSError:
        return []
    return children + [one for child in children for one in _below(child)]


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().split()[2] != "Z"
    except OSError:
        return False


def test_a_budget_of_tokens_refuses_models_and_nothing_else():
    from novum.core.model.budget import Spent
    from novum.governance.hard_budget import HardBudget, parse_budget

    budget = parse_budget("3m, 20k tokens, $1.50")
    assert budget == Budget(wall_seconds=180.0, tokens=20_000, money=1.5)
    governor = HardBudget(budget)
    used = Spent(tokens=19_000, money=1.4)
    assert governor.refuses(used, Spent(trials=5)) is None
    assert governor.refuses(used, Spent(tokens=1_000, money=0.1)) is None
    assert "tokens" in str(governor.refuses(used, Spent(tokens=1_001)))
    assert "dollars" in str(governor.refuses(used, Spent(money=0.11)))
    assert dataclasses.replace(budget, tokens=None).bounded

"""A mailbox under load: stop, pause and resume have a lane that no number of files, junk or valid, can delay."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest
from labs import coin_study, events

from novum.core.events.models_and_people import RequestTaken
from novum.core.model.budget import Budget
from novum.core.model.request import Act
from novum.governance.mailbox import FOLDER, MOST_TAKEN, URGENT_FOLDER, Mailbox
from novum.lab.session import session

GENOME = {"metal": 4, "edge": 4, "spin": 2, "shade": 7}
JUNK = {
    "junk": lambda folder, n: (folder / f"{n:06}.json").write_text("junk"),
    "valid requests": lambda folder, n: (folder / f"{n:06}.json").write_text(
        json.dumps({"act": "propose", "author": "mallory", "body": {"genome": {**GENOME, "shade": n % 64}}})
    ),
    "junk that looks urgent": lambda folder, n: (urgent(folder) / f"{n:020}-{n:08x}.stop").write_text("junk"),
    "valid pauses": lambda folder, n: (urgent(folder) / f"{n:020}-{n:08x}.pause").write_text(
        json.dumps({"act": "pause", "author": "mallory", "body": {}})
    ),
    "folders": lambda folder, n: (urgent(folder) / f"{n:020}-{n:08x}.stop").mkdir(),
}


def urgent(folder: Path) -> Path:
    (folder.parent / URGENT_FOLDER).mkdir(exist_ok=True)
    return folder.parent / URGENT_FOLDER


@pytest.mark.parametrize("kind", JUNK)
def test_a_stop_is_not_delayed_by_whatever_else_lies_there(tmp_path, kind):
    with session(coin_study(), Budget(wall_seconds=60), tmp_path) as lab:
        folder = tmp_path / FOLDER
        folder.mkdir(exist_ok=True)
        for number in range(4000):
            JUNK[kind](folder, number)
        sent: list[float] = []

        def stop() -> None:
            sent.extend((time.process_time(), time.monotonic()))
            Mailbox(tmp_path).send(Act.STOP, "alice", {"reason": "enough"})

        threading.Timer(0.4, stop).start()
        with pytest.raises(KeyboardInterrupt):
            lab.run()
        ended = time.process_time(), time.monotonic()
        record = events(lab)
    assert ended[0] - sent[0] < 8.0  # CPU time: other work on the machine does not count
    assert ended[1] - sent[1] < 20.0
    assert any(isinstance(one, RequestTaken) and (one.act, one.author) == (Act.STOP, "alice") for one in record) or (
        Mailbox(tmp_path).stop_requested()
    )


def test_pauses_and_stops_come_before_what_was_there_first(tmp_path):
    box = Mailbox(tmp_path)
    for number in range(300):
        box.send(Act.PROPOSE, "alice", {"n": number})
    names = [box.send(act, "bob", {}) for act in (Act.PAUSE, Act.RESUME, Act.PAUSE, Act.STOP)]
    waiting = box.waiting()
    assert [one.act for one in waiting[:4]] == [Act.STOP, Act.PAUSE, Act.RESUME, Act.PAUSE]
    assert [one.id for one in waiting[:4]] == [names[3], *names[:3]]
    assert [one.body["n"] for one in waiting[4:]] == list(range(MOST_TAKEN))
    seen = []
    while waiting := box.waiting():
        seen += [one.body.get("n") for one in waiting if one.act is Act.PROPOSE]
        for one in waiting:
            box.done(one)
    assert seen == list(range(300))
    assert not [*(tmp_path / FOLDER).iterdir(), *(tmp_path / URGENT_FOLDER).iterdir()]


def test_an_urgent_file_is_what_its_name_says_or_nothing(tmp_path):
    folder = urgent(tmp_path / FOLDER)
    good = json.dumps({"act": "stop", "author": "alice", "body": None})
    for name in ("stop", "1.stop", "x" * 20 + "-00000000.stop", "0" * 20 + "-00000000.propose"):
        (folder / name).write_text(good)
    (folder / ("0" * 20 + "-00000001.pause")).write_text(good)
    (folder / ("0" * 20 + "-00000002.stop")).write_text(good.replace("alice", "x" * 99))
    (folder / ("0" * 20 + "-00000003.stop")).symlink_to("/etc/passwd")
    (folder / ("0" * 20 + "-00000004.stop")).write_text(good + " " * (65 << 10))
    os.mkfifo(folder / ("0" * 20 + "-00000005.stop"))
    assert Mailbox(tmp_path).waiting() == [] and not Mailbox(tmp_path).stop_requested()
    assert len(list(folder.iterdir())) == 4
    (folder / ("0" * 20 + "-00000006.stop")).write_text(good)
    assert Mailbox(tmp_path).stop_requested()
    assert [one.act for one in Mailbox(tmp_path).waiting()] == [Act.STOP]


def test_large_requests_are_handed_over_a_few_at_a_time(tmp_path):
    box = Mailbox(tmp_path)
    for _ in range(5):
        box.send(Act.PROPOSE, "alice", {"rationale": "x" * (3 << 20)})
    assert len(box.waiting()) == 3

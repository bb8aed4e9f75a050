"""Forgeries that the owner of a record could make with its key: each is signed anew, and each is named."""

from __future__ import annotations

import shutil

import pytest
from edits import at, both, double, drop, every, exchange, put, raw, swap
from forgery import rewrite
from labs import SECRET, coin_study

from novum.core.model.budget import Budget
from novum.lab import verification
from novum.lab.preflight import clear
from novum.lab.session import session
from novum.ledger.key import load_key


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A campaign of two sessions, each with a preflight."""
    directory = tmp_path_factory.mktemp("lab")
    (directory / "lab.secret").write_text(SECRET.hex())
    for trials in (700, 800):
        with session(coin_study(), Budget(trials=trials), directory) as lab:
            clear(lab, directory)
            lab.run()
    return directory


@pytest.fixture
def lab(original, tmp_path):
    return shutil.copytree(original, tmp_path / "lab")


def forged(lab, edit):
    rewrite(lab, edit, load_key(lab, create=False))
    return verification.verify(lab)


def test_the_honest_record_holds(lab):
    found = verification.verify(lab)
    assert found.ok, found.lie
    assert found.signed
    assert any("of the preflight judged again" in note for note in found.notes)
    assert forged(lab, lambda rows: None).ok


VERDICT, TRIAL, SENT, IDEA, CLAIM = (
    "verdict_reached",
    "trial_finished",
    "group_dispatched",
    "proposal_made",
    "hypothesis_registered",
)
PREFLIGHT, BEGUN, ENDED, OPENED, FOUND = (
    "preflight_recorded",
    "session_started",
    "session_ended",
    "campaign_opened",
    "finding_recorded",
)
PROMISED, ASKED, ANSWERED = "follow_ups_promised", "follow_up_opened", "follow_up_closed"

FORMS = {
    "a key twice": (raw(VERDICT, '"pairs":', '"pairs":1,"pairs":'), "its key 'pairs' is written twice"),
    "a key twice, deeper": (raw(SENT, '"purpose":', '"purpose":"x","purpose":'), "its key 'purpose' is written twice"),
    "an unknown key": (raw(VERDICT, '"pairs":', '"pairx":1,"pairs":'), "its key 'pairx' is no field of it"),
    "an unknown key in a plan": (
        raw(SENT, '"purpose":', '"hidden":1,"purpose":'),
        "its key 'plan.hidden' is no field of it",
    ),
    "a key in another case": (raw(TRIAL, '"score":', '"Score":1,"score":'), "no field of it, which is written 'score'"),
    "a space at the end": (raw(TRIAL, "$", " "), "where nothing belongs"),
    "a space inside": (raw(TRIAL, ":", ": "), "it is not canonical JSON"),
    "1.0 for 1": (raw(TRIAL, '"member":0', '"member":0.0'), "after its key 'member'"),
    "a text for a number": (raw(VERDICT, '"pairs":([0-9]+)', '"pairs":"9"'), "its key 'pairs' is written \"9\""),
    "true for 1": (raw(BEGUN, '"workers":1', '"workers":true'), "its key 'workers' is written true"),
    "NaN": (raw(TRIAL, '"score":[0-9.]+', '"score":NaN'), "its key 'score' is nan, which JSON cannot hold"),
    "infinity": (raw(TRIAL, '"score":[0-9.]+', '"score":1e999'), "its key 'score' is inf, which JSON cannot hold"),
    "a letter escaped": (raw(IDEA, '"evolve"', '"\\u0065volve"'), "after its key 'author'"),
    "keys in another order": (raw(ENDED, '^{"elapsed":([^,]+),', '{"zz":1,'), "payload is not a session_ended"),
    "a field left out": (raw(OPENED, '"depends":\\[\\],', ""), "its key 'card.depends' is missing"),
    "another actor": (lambda rows: rows[50].__setitem__(1, "somebody"), "written as an act of 'somebody'"),
    "CPU time below zero": (put(TRIAL, cpu_seconds=-1.0), "its cpu_seconds are -1"),
    "an older schema": (every(BEGUN, lambda v: v.update(schema=0)), "of schema 0, which knew no promises"),
    "an older schema later": (put(BEGUN, "", 1, schema=0), "a record of schema 3 goes on as one of schema 0"),
}

ORDER = {
    "a trial twice": (double(TRIAL), "came in twice"),
    "a group twice": (double(SENT), "g1 was sent where g2 was next"),
    "a group left out": (drop(SENT, nth=9), "an outcome of g10, which was not in flight"),
    "two groups exchanged": (swap(SENT, 10), "was not in flight"),
    "two outcomes exchanged": (swap(TRIAL, 40), "was not in flight"),
    "a proposal twice": (double(IDEA), "proposal 1 follows on proposal 1"),
    "a proposal left out": (drop(IDEA, nth=4), "which did not wait for anything"),
    "a hypothesis twice": (double(CLAIM), "h1 is registered a second time"),
    "a hypothesis left out": (
        both(drop(CLAIM, '"id":"h2"'), drop(IDEA, '"number":2,')),
        "proposal 3 follows on proposal 1",
    ),
    "a verdict twice": (double(VERDICT, '"verdict":"refuted"'), "does not add up"),
    "a finding twice": (double(FOUND), "without a promise of what it will be asked"),
    "a promise twice": (double(PROMISED), "is promised follow-ups twice"),
    "an answer twice": (double(ANSWERED), "was closed, and is not open"),
    "a scale twice": (double("scale_measured"), "is measured twice"),
    "a sweep closed twice": (double("candidate_tuned", nth=1), "complete"),
    "a session twice": (double(BEGUN), "session 1 follows on session 1"),
    "the end of a session twice": (double(ENDED), "session 1 ends, and it is not open"),
    "a session left out": (drop(BEGUN, nth=1, more=1), "another budget"),
    "a preflight twice": (double(PREFLIGHT), "the lab's budget does not pay for it"),
    "a preflight left out": (drop(PREFLIGHT), "ended by its budget"),
    "a checkpoint twice": (double("checkpoint_signed"), "it was written twice"),
    "a checkpoint left out": (drop("checkpoint_signed", nth=2), "its checkpoint was taken out"),
    "a trial under another name": (put(TRIAL, trial="g1.7"), "is called otherwise than member 0 of g1"),
    "a crash with a score": (put(TRIAL, kind="crashed"), "is recorded as crashed with the score"),
    "a clock that goes back": (put(TRIAL, "", 50, elapsed=0.0), "after an event of second"),
    "a clock that runs ahead": (put(TRIAL, "", 5, elapsed=1e5), "after an event of second 100000"),
    "trials of another length": (at(SENT, lambda v: v["plan"].update(fidelity=0.5)), "trials of length 0.5"),
    "a group of another session": (put(SENT, session=9), "session 9, which is not open"),
    "a rung that goes on": (at("rung_closed", lambda v: v.update(advanced=not v["advanced"])), "the first rung of"),
}

ORIGINS = {
    "a probability afterwards": (put(CLAIM, probability=0.99), "the probability 0.99 where proposal 1 says 0.1"),
    "an effect afterwards": (put(CLAIM, effect=0.5), "the effect 0.5 where proposal 1 says"),
    "a probability of 2": (put(IDEA, probability=2.0), "proposal 1 has the probability 2"),
    "another author of a claim": (put(CLAIM, author="me"), "the author me where proposal 1 says evolve"),
    "another author of an idea": (put(IDEA, author="me"), "written as an act of 'evolve', and is one of 'me'"),
    "another rationale": (put(CLAIM, rationale="of course"), "other rationale than proposal 1"),
    "other parents": (put(CLAIM, parents=["h9"]), "other parents than proposal 1"),
    "a genome in the claim": (
        at(CLAIM, lambda v: v["candidate"]["genome"].update(spin=5)),
        "h1 was registered with another candidate than proposal 1 (spin",
    ),
    "a genome in the claim and its proposal": (
        both(
            at(IDEA, lambda v: v["candidate"]["genome"].update(spin=5)),
            at(CLAIM, lambda v: v["candidate"]["genome"].update(spin=5)),
        ),
        "which is of no hypothesis, incumbent or rival: its genome or theirs was changed; waiting for trials: h1",
    ),
    "a baseline": (
        at("incumbent_changed", lambda v: v["candidate"]["genome"].update(spin=3)),
        "the first incumbent is not the baseline of the study (spin",
    ),
    "a cost": (at(CLAIM, lambda v: v["cost"].update(parameters=77)), "is not what the arena says of it"),
    "bytes of an artefact": (put(TRIAL, stored_bytes=5), "says that its artefact takes 5 bytes, it takes 0"),
    "two keys exchanged": (
        exchange(VERDICT, "key"),
        "is not the one that was committed to",
    ),
    "words of a verdict": (put(VERDICT, reason="it felt right"), "gives the reason 'it felt right', not"),
    "a verdict called superseded": (
        put(VERDICT, reason="superseded: x"),
        "called superseded, and its incumbent was not",
    ),
    "threshold of an answer": (put(ANSWERED, threshold=3), "threshold 3 where 10 follows"),
    "failed runs of an answer": (put(ANSWERED, crashes=3), "failed runs 3 where 0 follows"),
    "a refund of an answer": (put(ANSWERED, refund=3), "does not add up"),
}


@pytest.mark.parametrize("name", [*FORMS, *ORDER, *ORIGINS])
def test_a_forgery_of_the_owner_is_named(lab, name):
    edit, said = {**FORMS, **ORDER, **ORIGINS}[name]
    found = forged(lab, edit)
    assert not found.ok
    assert said in found.lie
    assert found.lie.startswith("event ")


UNSEEN = {
    "what a trial cost": (put(TRIAL, cpu_seconds=5.0, wall_seconds=9.0, peak_bytes=1), "costs"),
    "an author, everywhere": (
        both(
            lambda rows: [row.__setitem__(1, "me") for row in rows if row[1] == "evolve"],
            every(IDEA, lambda v: v.update(author="me")),
            every(CLAIM, lambda v: v.update(author="me")),
        ),
        "authors",
    ),
    "a prediction, everywhere": (
        both(every(IDEA, lambda v: v.update(probability=0.9)), every(CLAIM, lambda v: v.update(probability=0.9))),
        "predictions",
    ),
    "a rationale in another normal form": (
        both(
            every(IDEA, lambda v: v.update(rationale="de\u0301j\u00e0 vu")),
            every(CLAIM, lambda v: v.update(rationale="de\u0301j\u00e0 vu")),
        ),
        "words",
    ),
    "the machine": (put(BEGUN, host="elsewhere", pid=1), "machines"),
    "the time of an event": (lambda rows: rows[40].__setitem__(0, rows[40][0] + 10**9), "times"),
    "what the arena is said to ask": (at(OPENED, lambda v: v["card"].update(question="Why?")), "words"),
    "the end of the record": (
        lambda rows: rows.__delitem__(slice(len(rows) - 200, None)),
        "nothing was cut off its end",
    ),
    "why a session ended": (put(ENDED, reason="it was late"), "words"),
    "the key of a scale": (put("scale_measured", key="00" * 32), "novum replay"),
}
"""What nothing in a record contradicts: it is listed as not shown, with what does show it."""


@pytest.mark.parametrize("name", UNSEEN)
def test_what_no_check_can_see_is_listed_and_an_anchor_or_a_replay_shows_it(lab, name):
    from novum.audit.anchor import root

    before = verification.verify(lab)
    edit, said = UNSEEN[name]
    found = forged(lab, edit)
    assert found.ok, found.lie
    assert any(said in one for one in found.not_shown)
    anchor = str(root(before.events, before.head))
    assert "anchored" in verification.verify(lab, anchor=anchor).lie

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from forgery import forge, rewrite, text
from labs import SECRET, coin_study, same

from novum.audit.anchor import contains, parse, root
from novum.core.events.campaign import SessionEnded
from novum.core.events.proposals import ProposalRefused
from novum.core.model.budget import Budget
from novum.core.model.errors import LabMismatch, UserError
from novum.core.state.fold import fold
from novum.lab import verification
from novum.lab.session import session
from novum.ledger import signed
from novum.ledger.journal import Reader
from novum.ledger.key import LabKey, fits, key_id, load_key, pae, public_pem
from novum.ledger.signed import CHECKPOINT, EVERY, SignedLedger, statement
from novum.testing.memory_ledger import MemoryLedger


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    (directory / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(), Budget(trials=500), directory) as lab:
        lab.run()
    return directory


@pytest.fixture
def lab(original, tmp_path):
    return shutil.copytree(original, tmp_path / "lab")


def rows_of(lab):
    with Reader(lab) as reader:
        return list(reader.rows())


def test_the_encoding_is_the_one_of_the_specification():
    """The test vector of DSSE's protocol.md, and RFC 8032's first one for the key."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    key = LabKey(
        Ed25519PrivateKey.from_private_bytes(
            bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        )
    )
    assert key.public == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert public_pem(key.public).startswith(b"-----BEGIN PUBLIC KEY-----")
    assert len(key_id(key.public)) == 64
    signature = key.sign("a", b"bc")
    assert fits(key.public, "a", b"bc", signature)
    assert not fits(key.public, "ab", b"c", signature)
    assert not fits("zz", "a", b"bc", signature)
    assert not fits(key.public, "a", b"bc", b"")


def test_the_key_is_made_once_for_its_owner_only_and_checked(tmp_path):
    key = load_key(tmp_path)
    assert load_key(tmp_path, create=False).public == key.public
    assert stat.S_IMODE((tmp_path / "lab.key").stat().st_mode) == 0o600
    assert "private" not in repr(key)
    (tmp_path / "lab.key").write_text("nonsense")
    with pytest.raises(UserError, match="PEM"):
        load_key(tmp_path)
    with pytest.raises(UserError, match="missing"):
        load_key(tmp_path / "elsewhere", create=False)


def test_a_ledger_signs_what_matters_and_at_the_latest_after_so_many_events(tmp_path, monkeypatch):
    monkeypatch.setattr(signed, "EVERY", 10)
    ledger = SignedLedger(MemoryLedger(), load_key(tmp_path), "lab")
    for number in range(25):
        ledger.append([ProposalRefused(number, "")], durable=False)
    ledger.append([SessionEnded(1, "", 1.0)], durable=True)
    records = list(ledger.read())
    places = [place for place, record in enumerate(records) if record.kind == "checkpoint_signed"]
    assert places == [10, 21, 28]
    for place in places:
        event, before = records[place].event, records[place - 1]
        assert (event.seq, event.head) == (before.seq, before.hash)
        message = statement("lab", before.seq, before.hash)
        assert fits(event.public_key, CHECKPOINT, message, bytes.fromhex(event.signature))
    assert EVERY == 2000


def test_a_lab_signs_its_sessions_and_findings(original):
    kinds = [row[3] for row in rows_of(original)]
    assert kinds[-1] == "checkpoint_signed"
    for kind in ("session_started", "session_ended", "finding_recorded", "follow_up_closed"):
        places = [place for place, one in enumerate(kinds) if one == kind]
        assert places, kind
        promised = kind == "finding_recorded"
        assert all(kinds[place + 1 + promised] == "checkpoint_signed" for place in places), kind
        assert all(kinds[place + 1] == "follow_ups_promised" for place in places if promised)


def test_the_state_of_a_running_lab_is_the_fold_of_its_ledger_checkpoints_included(lab):
    with session(coin_study(), Budget(trials=520), lab) as running:
        running.run()
        with Reader(lab) as reader:
            assert same(fold(record.event for record in reader.read()), running.state)
        assert running.state.public_key == load_key(lab).public


def test_an_honest_lab_verifies_and_the_notes_say_by_which_key(lab):
    found = verification.verify(lab)
    assert found.ok, found.lie
    assert found.checkpoints > 3
    assert found.key == load_key(lab).public
    assert any("signed checkpoints are good" in note for note in found.notes)


def leaves(value, path=()):
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for key, item in enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def other(value):
    """Another value of the same type, close to the first."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else "x"


def test_any_edit_with_the_whole_chain_hashed_anew_is_named_without_the_key(original, tmp_path):
    """One value of one event, anywhere: the next checkpoint no longer fits, if nothing objected before it."""
    rng, count = random.Random(7), len(rows_of(original))
    for number in range(24):
        lab = shutil.copytree(original, tmp_path / str(number))
        place = rng.randrange(1, count)

        def edit(rows, place=place):
            value = json.loads(rows[place][3])
            path, old = rng.choice(list(leaves(value)))
            inner = value
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = other(old)
            rows[place][3] = text(value)

        rewrite(lab, edit)
        found = verification.verify(lab)
        assert not found.ok, place
        assert int(found.lie.split()[1]) >= place + 1
        assert found.lie.startswith("event ")


def test_a_dropped_event_is_named_without_the_key(lab):
    rewrite(lab, lambda rows: rows.pop(60))
    assert verification.verify(lab).lie.startswith("event ")


def test_a_time_that_nothing_depends_on_is_noticed_by_the_signature_alone(lab):
    def later(rows):
        rows[40][0] += 1

    first = 1 + next(place for place, row in enumerate(rows_of(lab)) if place > 40 and row[3] == "checkpoint_signed")
    rewrite(lab, later)
    found = verification.verify(lab)
    assert "changed after it was signed" in found.lie
    assert found.lie.startswith(f"event {first} (checkpoint_signed)")
    rewrite(lab, lambda rows: None, adjust=True)
    assert "its signature is not one of its key" in verification.verify(lab).lie
    rewrite(lab, lambda rows: None, load_key(lab))
    assert verification.verify(lab).ok


def test_the_key_of_a_lab_signs_a_forgery_and_only_an_anchor_shows_it(lab):
    rows = rows_of(lab)
    published = str(root(rows[100][0], rows[100][5]))

    def later(rows):
        rows[40][0] += 1

    rewrite(lab, later, load_key(lab))
    assert verification.verify(lab).ok
    found = verification.verify(lab, anchor=published)
    assert not found.ok
    assert found.lie.startswith("event 101 ")
    assert "anchored" in found.lie


def test_another_key_is_named_whether_it_signs_all_or_a_part(lab):
    thief = LabKey(Ed25519PrivateKey.generate())
    kinds = [row[3] for row in rows_of(lab)]
    last = len(kinds) - 1

    def strip_last(rows):
        value = json.loads(rows[last][3])
        message = statement(json.loads(rows[0][3])["secret_commitment"], value["seq"], value["head"])
        value.update(public_key=thief.public, signature=thief.sign(CHECKPOINT, message).hex())
        rows[last][3] = text(value)

    rewrite(lab, strip_last)
    assert "the key of the lab changes" in verification.verify(lab).lie
    rewrite(lab, lambda rows: None, thief)
    assert "another key" in verification.verify(lab).lie
    (lab / "lab.key").unlink()
    assert verification.verify(lab).ok, "without the lab's own key nobody can know"


def test_checkpoints_taken_out_are_missed_where_the_key_is(lab, novum):
    def strip(rows):
        rows[:] = [row for row in rows if row[2] != "checkpoint_signed"]

    rewrite(lab, strip)
    assert "taken out" in verification.verify(lab).lie
    (lab / "lab.key").unlink()
    found = verification.verify(lab)
    assert found.ok
    assert (found.signed, found.checkpoints, found.key) == (False, 0, "")
    assert found.not_shown[0].startswith("who wrote it: no checkpoint is signed")
    assert "UNSIGNED" in novum("verify", lab).out.splitlines()[0]
    assert json.loads(novum("verify", lab, "--json").out)["signed"] is False


@pytest.mark.parametrize("kept", [0, 1, -1])
def test_a_record_is_signed_throughout_or_not_at_all(lab, kept):
    """Somebody with the key leaves one checkpoint in, the first or the last, and signs that."""

    def strip(rows):
        signed = [row for row in rows if row[2] == "checkpoint_signed"]
        out = signed[1:] if kept == 0 else signed[:-1] if kept == -1 else signed[1:2]
        rows[:] = [row for row in rows if row not in out]

    rewrite(lab, strip, load_key(lab))
    found = verification.verify(lab)
    assert not found.ok
    assert "its checkpoint was taken out" in found.lie


def test_a_claim_other_than_the_study_asks_is_named(lab):
    forge(lab, "hypothesis_registered", lambda v: v.update(delta=-1.0))
    assert "claims something else" in verification.verify(lab).lie


@pytest.mark.parametrize("change", ["lost", "other"])
def test_a_signed_campaign_does_not_go_on_without_its_key(lab, change):
    (lab / "lab.key").unlink()
    if change == "other":
        load_key(lab)
    error, said = (UserError, "restore") if change == "lost" else (LabMismatch, "lab.key")
    with pytest.raises(error, match=said), session(coin_study(), Budget(trials=600), lab):
        pass
    if change == "lost":
        assert not (lab / "lab.key").exists()


def test_a_campaign_from_before_signatures_gets_a_key_and_goes_on(lab):
    def strip(rows):
        rows[:] = [row for row in rows if row[2] not in ("checkpoint_signed", "follow_ups_promised")]
        for row in rows:
            if row[2] == "session_started":
                row[3] = text({**json.loads(row[3]), "schema": 0})

    rewrite(lab, strip)
    (lab / "lab.key").unlink()
    for leftover in lab.glob("lab.snapshot*"):
        leftover.unlink()
    with session(coin_study(), Budget(trials=520), lab) as running:
        running.run()
    assert verification.verify(lab).checkpoints >= 2


def test_an_anchor_survives_reading_and_typing():
    made = root(1487, "ab" * 32)
    number, digits = str(made).split("-", 1)
    for typed in (str(made), str(made).lower(), f" {made} ", f"{number}-{digits.replace('0', 'O').replace('-', '')}"):
        assert parse(typed) == made
    assert len(str(made).split("-")) == 7
    for place, letter in enumerate(str(made)):
        swapped = "8" if letter != "8" else "9"
        if letter != "-":
            with pytest.raises(UserError, match="anchor"):
                parse(str(made)[:place] + swapped + str(made)[place + 1 :])
    for nonsense in ("", "1487", "x-y", "1487-" + "0" * 24 + "0", "-" * 50, "9" * 400 + "-AAAA"):
        with pytest.raises(UserError, match="anchor"):
            parse(nonsense)


def test_an_anchor_is_contained_by_what_was_appended_and_by_nothing_else(lab):
    rows = rows_of(lab)
    early, late = root(rows[9][0], rows[9][5]), root(rows[-1][0], rows[-1][5])
    assert contains(rows, early).ok
    assert contains(rows, late).ok
    cut = contains(rows[:-1], late)
    assert not cut.ok
    assert "end is missing" in cut.words
    changed = [list(row) for row in rows]
    changed[3][1] += 1
    assert "not the ones" in contains(changed, early).words
    assert "missing" in contains(rows[:2] + rows[3:], early).words
    with sqlite3.connect(lab / "lab.db") as db:
        db.execute("DELETE FROM events WHERE seq > 200")
    db.close()
    assert "anchored" in verification.verify(lab, anchor=str(late)).lie
    assert verification.verify(lab, anchor=str(early)).ok


def test_the_commands_anchor_and_verify_speak_in_words_and_in_exit_statuses(lab, novum):
    made = json.loads(novum("anchor", "--lab", lab, "--json").out)
    assert made["head"] == verification.verify(lab).head
    assert novum("anchor", "--lab", lab).out.splitlines()[0] == made["root"]
    kept = novum("anchor", "--lab", lab, "--check", made["root"])
    assert (kept.status, kept.out.strip()) == (0, f"events 1 to {made['seq']} are the ones that were anchored")
    shown = novum("verify", lab, "--anchor", made["root"])
    assert shown.status == 0
    assert f"anchored as {made['root']}" in shown.out
    rewrite(lab, lambda rows: rows[40].__setitem__(0, 1), load_key(lab))
    assert novum("anchor", "--lab", lab, "--check", made["root"]).status == 1
    assert novum("verify", lab, "--anchor", made["root"]).status == 1
    assert novum("verify", lab / "missing.zip").status == 2
    assert "misread" in novum("anchor", "--lab", lab, "--check", f"9{made['root']}").err

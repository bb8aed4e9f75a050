from __future__ import annotations

import base64
import dataclasses
import functools
import html
import json
import random
import shutil
import stat
import struct
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from forgery import changed, contents, forge, refused, resigned, rewrite
from labs import SECRET, coin_study

from novum.api import read_lab
from novum.audit import pack_file
from novum.audit.anchor import root
from novum.audit.attestation import PAYLOAD, STATEMENT
from novum.audit.pack import write_pack
from novum.audit.pack_file import ENVELOPE, LEDGER, open_pack, write_archive
from novum.core.model.budget import Budget
from novum.core.model.errors import IntegrityError, LabMismatch, UserError
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.ledger.key import LabKey, load_key

QUESTION = "Does <script>alert(1)</script> & \u202e hold?"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A small lab with a finding, and artefacts long enough to be blobs."""
    directory = tmp_path_factory.mktemp("lab")
    (directory / "lab.secret").write_text(SECRET.hex())
    study = coin_study(options={"flips": 600}, question=QUESTION)
    with session(study, Budget(trials=420), directory) as lab:
        lab.run()
        assert lab.state.findings
        name = lab.state.findings[0].id
    return directory, name


@pytest.fixture
def lab(original, tmp_path):
    return shutil.copytree(original[0], tmp_path / "lab")


@pytest.fixture(scope="module")
def pack(original, tmp_path_factory):
    path = tmp_path_factory.mktemp("packs") / "finding.zip"
    write_pack(original[0], original[1], path)
    return path


def test_a_pack_is_verified_by_somebody_who_never_saw_the_lab(pack, tmp_path):
    shutil.copy(pack, tmp_path / "h.zip")
    command = [sys.executable, "-m", "novum.cli", "verify", "h.zip", "--json"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["ok"]
    assert found["verdicts"] > 0
    assert found["scores"] > 30
    assert [one.name for one in tmp_path.iterdir()] == ["h.zip"]


def test_the_same_lab_gives_the_same_bytes(original, pack, tmp_path):
    assert write_pack(original[0], original[1], tmp_path / "again.zip") == pack.stat().st_size
    assert (tmp_path / "again.zip").read_bytes() == pack.read_bytes()


def test_the_pack_holds_the_artefacts_of_the_finding_and_no_others(original, pack):
    blobs = [name for name in contents(pack) if name.startswith("blobs/")]
    every = [path for path in (original[0] / "blobs").rglob("*") if path.is_file()]
    assert 30 < len(blobs) < len(every)
    notes = verification.verify(pack).notes
    assert any("stand as recorded" in note for note in notes)


def test_the_statement_is_in_toto_in_dsse(pack):
    files = contents(pack)
    outer = json.loads(files[ENVELOPE])
    assert outer["payloadType"] == "application/vnd.in-toto+json" == PAYLOAD
    inner = json.loads(base64.b64decode(outer["payload"]))
    assert inner["_type"] == "https://in-toto.io/Statement/v1" == STATEMENT
    assert {one["name"] for one in inner["subject"]} == set(files) - {ENVELOPE}
    assert all(len(one["digest"]["sha256"]) == 64 for one in inner["subject"])
    assert inner["predicate"]["finding"] == verification.verify(pack).notes[0].split()[1].rstrip(",")


def test_the_metadata_is_an_ro_crate(pack, tmp_path):
    rocrate = pytest.importorskip("rocrate.rocrate")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        crate = rocrate.ROCrate(str(pack))
    assert "https://w3id.org/ro/crate/1.3" in str(crate.metadata["conformsTo"])
    for needed in ("name", "description", "datePublished", "license"):
        assert crate.root_dataset[needed]
    parts = {part.id for part in crate.root_dataset["hasPart"]}
    assert {"index.html", LEDGER, ENVELOPE, "blobs/"} <= parts
    entities = {one["@id"] for one in json.loads(contents(pack)["ro-crate-metadata.json"])["@graph"]}
    assert set(contents(pack)) <= entities


def test_the_page_is_escaped_and_forbids_itself_everything(pack):
    page = contents(pack)["index.html"].decode()
    assert "<script" not in page
    assert html.escape("<script>alert(1)</script>") in page
    assert "\u202e" not in page
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_any_byte_that_flips_is_refused_or_changes_nothing(pack, tmp_path):
    """Nothing: the few bits that fill a compressed block up to its next byte mean nothing to any reader."""
    rng, data, before = random.Random(3), pack.read_bytes(), contents(pack)
    whole = range(len(data))
    ends = [*range(60), *range(len(data) - 60, len(data))]
    harmless = 0
    for place in [*rng.sample(whole, 40), *rng.sample(ends, 25)]:
        path = tmp_path / "flipped.zip"
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :])
        try:
            found = verification.verify(path)
        except (IntegrityError, UserError):
            continue
        if found.ok:
            harmless += 1
            assert contents(path) == before, place
    assert harmless <= 3


def test_any_event_that_is_changed_is_named(pack, tmp_path):
    lines, rng = contents(pack)[LEDGER].splitlines(keepends=True), random.Random(5)
    for place in rng.sample(range(len(lines)), 12):
        digits = [n for n, letter in enumerate(lines[place]) if chr(letter).isdigit()]
        at = rng.choice(digits)
        swapped = lines[place][:at] + (b"8" if lines[place][at : at + 1] != b"8" else b"9") + lines[place][at + 1 :]
        forged = b"".join([*lines[:place], swapped, *lines[place + 1 :]])
        lie = refused(changed(pack, tmp_path, **{LEDGER: forged}))
        assert f"event {place + 1}" in lie or f"line {place + 1}" in lie or lie.startswith("event "), lie
    dropped = refused(changed(pack, tmp_path, **{LEDGER: b"".join(lines[:9] + lines[10:])}))
    assert "event 10 is missing" in dropped
    cut = refused(changed(pack, tmp_path, **{LEDGER: b"".join(lines[:-1])}))
    assert LEDGER in cut


def test_what_is_not_what_was_signed_is_named(pack, tmp_path):
    files = contents(pack)
    blob = next(name for name in files if name.startswith("blobs/"))
    for name in ("index.html", "environment.json", "lab.pem", "ro-crate-metadata.json"):
        assert name in refused(changed(pack, tmp_path, **{name: files[name] + b" "}))
        assert name in refused(changed(pack, tmp_path, **{name: None}))
    assert "altered" in refused(changed(pack, tmp_path, **{blob: files[blob][:-1] + b"\0"}))
    assert blob in refused(changed(pack, tmp_path, **{blob: None}))
    extra = "blobs/" + "0" * 64
    assert "says nothing" in refused(changed(pack, tmp_path, **{extra: b"x"}))
    assert ENVELOPE in refused(changed(pack, tmp_path, **{ENVELOPE: None}))
    assert ENVELOPE in refused(changed(pack, tmp_path, **{ENVELOPE: b"[" * 100_000}))
    assert ENVELOPE in refused(changed(pack, tmp_path, **{ENVELOPE: b'{"payload":1}'}))


def test_even_the_lab_cannot_sign_what_does_not_follow_from_its_record(original, pack, tmp_path):
    key = load_key(original[0])
    blobs = [name for name in contents(pack) if name.startswith("blobs/")]
    assert verification.verify(resigned(pack, tmp_path, key, lambda files, said: None)).ok

    def page(files, said):
        files["index.html"] = files["index.html"].replace(b"replicated", b"excellent").replace(b"confirmed", b"great")

    assert "index.html does not say what the record says" in refused(resigned(pack, tmp_path, key, page))
    for blob in random.Random(1).sample(blobs, 8):
        left = refused(resigned(pack, tmp_path, key, lambda files, said, blob=blob: files.pop(blob)))
        assert "is not in the pack" in left
    assert "another claim" in refused(resigned(pack, tmp_path, key, lambda f, said: said["claim"].update(effect=9.0)))
    other = next(name for name, one in read_lab(original[0]).hypotheses.items() if one.finding is None)
    assert "is no finding" in refused(resigned(pack, tmp_path, key, lambda f, said: said.update(finding=other)))
    assert "another lab" in refused(resigned(pack, tmp_path, key, lambda f, said: said.update(lab="00")))
    thief = LabKey(Ed25519PrivateKey.generate())
    assert "not signed with the key" in refused(resigned(pack, tmp_path, thief, lambda files, said: None))


def test_a_lie_of_the_lab_in_a_pack_is_named_by_event(lab, original, tmp_path):
    seq = forge(lab, "verdict_reached", lambda v: v.update(e_value=1e6))
    write_pack(lab, original[1], tmp_path / "lie.zip")
    assert refused(tmp_path / "lie.zip").startswith(f"event {seq} (verdict_reached)")


def test_a_whole_new_history_is_shown_by_the_anchor_alone(lab, original, pack, tmp_path):
    published = verification.verify(pack)
    anchor = str(root(published.events, published.head))

    def later(rows):
        rows[40][0] += 1

    thief = LabKey(Ed25519PrivateKey.generate())
    rewrite(lab, later, thief)
    (lab / "lab.key").write_bytes(private(thief))
    write_pack(lab, original[1], tmp_path / "new.zip")
    found = verification.verify(tmp_path / "new.zip")
    assert found.ok
    assert found.key != published.key
    assert "anchored" in verification.verify(tmp_path / "new.zip", anchor=anchor).lie
    assert verification.verify(pack, anchor=anchor).ok


def private(key: LabKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_only_a_finding_of_a_signed_lab_is_packed_and_only_with_its_key(lab, original, tmp_path):
    with pytest.raises(UserError, match=f"no finding of this lab; its findings: {original[1]}"):
        write_pack(lab, "h999", tmp_path / "x.zip")
    (lab / "lab.key").unlink()
    with pytest.raises(UserError, match="restore"):
        write_pack(lab, original[1], tmp_path / "x.zip")
    load_key(lab)
    with pytest.raises(LabMismatch, match=r"lab\.key"):
        write_pack(lab, original[1], tmp_path / "x.zip")
    rewrite(lab, lambda rows: rows.__setitem__(slice(None), [r for r in rows if r[2] != "checkpoint_signed"]))
    with pytest.raises(UserError, match="not signed yet"):
        write_pack(lab, original[1], tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def archive(path, *entries) -> Path:
    """A zip archive of (name or ZipInfo, data)."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")
        for name, data in entries:
            made.writestr(name, data)
    return path


def link_to(target):
    info = zipfile.ZipInfo(LEDGER)
    info.external_attr, info.create_system = (stat.S_IFLNK | 0o777) << 16, 3
    return info, target


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("../../etc/cron.d/x", b"x")], "no evidence pack holds"),
        ([("/etc/passwd", b"x")], "no evidence pack holds"),
        ([("blobs/../../x", b"x")], "no evidence pack holds"),
        ([("blobs\\x", b"x")], "no evidence pack holds"),
        ([("blobs/", b"")], "no evidence pack holds"),
        ([link_to(b"/etc/passwd")], "not a plain file"),
        ([(LEDGER, b""), (LEDGER, b"x")], "twice"),
        ([(LEDGER, b"not an event\n")], "line 1"),
        (
            [(LEDGER, b'{"actor":"a","hash":"' + b"0" * 64 + b'","kind":"x","payload":{},"seq":1,"time":1}\n')],
            "event 1",
        ),
        ([(LEDGER, b"\xff\xfe\n")], "damaged"),
        ([(LEDGER, b"{" * 5_000_000)], "line 1"),
        ([("index.html", b"")], f"no {LEDGER}"),
        ([(LEDGER, b"")], "not signed"),
    ],
)
def test_a_hostile_archive_is_refused_in_words(tmp_path, entries, said):
    (tmp_path / "in").mkdir()
    path = archive(tmp_path / "in" / "x.zip", *entries)
    if said not in refused(path):
        write_archive(path, dict(entries))
    before = {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")}
    assert said in refused(path)
    assert {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")} == before


def test_absurd_json_in_an_event_is_named(pack, tmp_path):
    lines = contents(pack)[LEDGER].splitlines(keepends=True)
    head = json.loads(lines[0])
    for payload in (
        "{" + '"a":{' * 50_000 + "}" * 50_001,
        '{"n":' + "9" * 100_000 + "}",
        '{"x":NaN}',
        '{"s":"\\ud800"}',
    ):
        forged = pack_file.line((1, head["time"], "lab", "campaign_opened", payload, head["hash"]))
        lie = refused(changed(pack, tmp_path, **{LEDGER: forged + b"".join(lines[1:])}))
        assert "event 1" in lie


def test_a_deep_payload_with_a_good_hash_is_an_event_that_cannot_be_read(tmp_path):
    from novum.ledger.chain import GENESIS, link

    rows = []
    for kind, payload in (("campaign_opened", "{" + '"a":{' * 50_000 + "}" * 50_001), ("session_ended", '{"a":NaN}')):
        head = link(GENESIS, 1, 1, "lab", kind, payload)
        rows.append(pack_file.line((1, 1, "lab", kind, payload, head)))
    for line in rows:
        write_archive(tmp_path / "x.zip", {LEDGER: line})
        assert refused(tmp_path / "x.zip").startswith("event 1")


def test_bombs_are_refused_before_they_go_off(pack, tmp_path, monkeypatch):
    began = time.monotonic()
    bomb = archive(tmp_path / "bomb.zip", (LEDGER, b"\0" * (pack_file.LARGEST_FILE + 1)))
    assert bomb.stat().st_size < 1 << 20
    assert "unpack" in refused(bomb)
    monkeypatch.setattr(pack_file, "LARGEST_PACK", 3000)
    monkeypatch.setattr(pack_file, "LARGEST_FILE", 2500)
    many = archive(tmp_path / "many.zip", *((f"blobs/{n:064x}", b"\0" * 1500) for n in range(3)))
    assert "unpack" in refused(many)
    monkeypatch.undo()
    monkeypatch.setattr(pack_file, "FILES", 2)
    assert "directory" in refused(many)
    monkeypatch.undo()
    lying = bytearray(pack.read_bytes())
    place = lying.rindex(b"PK\x01\x02")
    struct.pack_into("<L", lying, place + 24, 10)  # the directory says fewer bytes than there are
    (tmp_path / "lying.zip").write_bytes(lying)
    assert refused(tmp_path / "lying.zip")
    assert time.monotonic() - began < 20


def test_a_pack_that_another_program_packed_anew_is_refused(pack, tmp_path):
    again = archive(tmp_path / "again.zip", *sorted(contents(pack).items()))
    assert "not packed by Novum" in refused(again)
    for name, data in (("before.zip", b"MZ" + pack.read_bytes()), ("after.zip", pack.read_bytes() + b"\n")):
        (tmp_path / name).write_bytes(data)
        assert "no evidence pack" in refused(tmp_path / name)


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 5000, b"PK\x05\x06" + b"\0" * 17, b"PK\x05\x06" + b"\xff" * 18])
def test_a_file_that_is_no_archive_is_refused_in_words(tmp_path, data):
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(IntegrityError, match="no evidence pack"):
        verification.verify(tmp_path / "x.zip")


def test_a_pack_that_is_too_large_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pack_file, "LARGEST_FILE", 10)
    with pytest.raises(UserError, match="at most"):
        write_archive(tmp_path / "x.zip", {LEDGER: b"x" * 11})
    assert not list(tmp_path.iterdir())


def test_nothing_can_be_put_into_a_pack(pack):
    with open_pack(pack) as opened, pytest.raises(UserError, match="not written to"):
        pack_file.PackBlobs(opened).put(b"x")


def test_a_finding_against_an_incumbent_that_won_its_place_rests_on_those_runs_too(tmp_path):
    """Its scale was measured on the confirming runs of the incumbent."""
    study = dataclasses.replace(coin_study(options={"flips": 600}), seed=1)
    with session(study, Budget(trials=900), tmp_path / "lab") as lab:
        lab.run()
        later = [one for one in lab.state.findings if one.registered.incumbent != lab.state.incumbents[0].candidate.id]
        scales = {one.incumbent.id: lab.state.scales[one.incumbent.id].source for one in (h.rule for h in later)}
    assert "confirm" in scales.values()
    write_pack(tmp_path / "lab", later[0].id, tmp_path / "x.zip")
    assert verification.verify(tmp_path / "x.zip").ok
    ground = next(one for one in lab.state.incumbents if one.candidate.id == later[0].registered.incumbent).hypothesis
    runs = lab.state.hypotheses[ground].runs["x"].values()
    swept = [
        event.artefact
        for kind, event in events_of(tmp_path / "lab")
        if kind == "trial_finished" and plans_of(tmp_path / "lab")[event.group].subject == later[0].candidate.id
    ]
    assert swept
    assert {name.removeprefix("sha256:") for name in swept} <= {name[6:] for name in contents(tmp_path / "x.zip")}
    assert {run.artefact.removeprefix("sha256:") for run in runs} <= {name[6:] for name in contents(tmp_path / "x.zip")}


def events_of(lab):
    with Reader(lab) as reader:
        return [(record.kind, record.event) for record in reader.read()]


@functools.cache
def plans_of(lab):
    return {event.plan.id: event.plan for kind, event in events_of(lab) if kind == "group_dispatched"}

from __future__ import annotations

import fcntl
import itertools
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from labs import coin_study

from novum.core.events.proposals import ProposalRefused
from novum.core.model.budget import Budget
from novum.core.model.errors import IntegrityError, LabInUse, StorageError, UserError
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.journal import GROUP_SECONDS, Journal, Reader, is_held
from novum.ledger.lab_secret import load_secret


def refusals(first, count):
    return [ProposalRefused(n, "x" * 50) for n in range(first, first + count)]


def test_a_second_writer_is_refused_by_name_and_a_closed_one_is_replaced_at_once(tmp_path):
    with Journal(tmp_path) as journal:
        journal.append(refusals(0, 3), durable=True)
        with pytest.raises(LabInUse, match=rf"in use by process {os.getpid()}.*--lab"):
            Journal(tmp_path)
    with Journal(tmp_path) as again:
        assert len(list(again.read())) == 3


def test_a_writer_killed_at_any_instant_loses_nothing_durable_and_leaves_no_stall(tmp_path):
    """A child appends durably and says so; it is killed while appending; all it said is there, the chain continues."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from novum.core.events.proposals import ProposalRefused
        from novum.ledger.journal import Journal
        journal = Journal(Path(sys.argv[1]))
        for n in range(10**6):
            journal.append([ProposalRefused(n, "x")], durable=True)
            print(n, flush=True)
        """
    )
    for wait in (0.0, 0.05, 0.2):
        child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout
        child.stdout.readline()
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        said = [line for line in child.stdout.read().split("\n") if line.isdigit()]
        child.stdout.close()
        child.wait()
        started = time.monotonic()
        with Journal(tmp_path) as journal:
            numbers = [record.event.number for record in journal.read()]
            assert time.monotonic() - started < 10.0
            if said:
                assert int(said[-1]) in numbers
            journal.append(refusals(0, 1), durable=True)
    with Reader(tmp_path) as reader:
        assert [row[0] for row in reader.rows()] == list(range(1, len(list(reader.rows())) + 1))


def test_casual_events_are_on_disk_within_the_group_interval(tmp_path):
    with Journal(tmp_path) as journal, Reader(tmp_path) as reader:
        journal.append(refusals(0, 1), durable=False)
        time.sleep(GROUP_SECONDS * 1.2)
        journal.append(refusals(1, 1), durable=False)
        assert len(list(reader.read())) == 2
        journal.append(refusals(2, 1), durable=False)
        assert len(list(reader.read())) == 2
        journal.append([], durable=True)
        assert len(list(reader.read())) == 3


def test_a_stopped_writer_that_was_replaced_cannot_append(tmp_path):
    journal = Journal(tmp_path)
    journal.append(refusals(0, 1), durable=True)
    with sqlite3.connect(tmp_path / "lab.db") as other:
        other.execute("UPDATE meta SET value = value + 1 WHERE key = 'token'")
    other.close()
    with pytest.raises(LabInUse, match="taken over"):
        journal.append(refusals(1, 1), durable=True)
    with pytest.raises(LabInUse):
        journal.close()
    with Reader(tmp_path) as reader:
        assert len(list(reader.read())) == 1


def test_many_readers_neither_block_nor_are_blocked(tmp_path):
    failures: list[Exception] = []
    counts: list[int] = []
    stop = threading.Event()

    def read():
        try:
            with Reader(tmp_path) as reader:
                while not stop.is_set():
                    counts.append(len(list(reader.read())))
        except Exception as error:
            failures.append(error)

    with Journal(tmp_path) as journal:
        journal.append(refusals(0, 1), durable=True)
        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for n in range(1, 60):
            journal.append(refusals(n, 1), durable=True)
        stop.set()
        for thread in threads:
            thread.join()
        assert len(list(journal.read())) == 60
    assert not failures
    assert max(counts) <= 60


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="needs a file system that can be filled")
def test_a_full_disk_is_one_clear_error_and_what_was_committed_stays(tmp_path):
    """RLIMIT_FSIZE stands in for the full disk: the write fails in the same call with the same consequence."""
    script = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from novum.core.model.errors import StorageError
        from novum.core.events.proposals import ProposalRefused
        from novum.ledger.journal import Journal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        done = 0
        try:
            while True:
                journal.append([ProposalRefused(done, "x" * 5000)], durable=True)
                done += 1
        except StorageError as error:
            print(done, error)
        """
    )
    shown = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "free space" in shown.stdout, shown.stderr
    done = int(shown.stdout.split()[0])
    assert done > 3
    with Journal(tmp_path) as journal:
        assert [record.event.number for record in journal.read()] == list(range(done))
        journal.append(refusals(done, 1), durable=True)


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        Journal(tmp_path / "file" / "lab")


def test_a_database_that_is_none_is_a_clear_error(tmp_path):
    (tmp_path / "lab.db").write_text("this is not a database, but long enough to be taken for one " * 40)
    with pytest.raises(StorageError, match="not a database"):
        Journal(tmp_path)


def test_a_newer_schema_is_refused(tmp_path):
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "lab.db") as db:
        db.execute("UPDATE meta SET value = 99 WHERE key = 'schema'")
    db.close()
    with pytest.raises(UserError, match="newer version"):
        Journal(tmp_path)


def test_reading_no_lab_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="novum run"):
        Reader(tmp_path)


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path):
    secret = load_secret(tmp_path)
    assert load_secret(tmp_path) == secret
    assert len(secret) == 32
    assert stat.S_IMODE((tmp_path / "lab.secret").stat().st_mode) == 0o600
    (tmp_path / "lab.secret").write_text("zz")
    with pytest.raises(UserError, match="hexadecimal"):
        load_secret(tmp_path)


def test_an_interrupted_append_leaves_nothing_of_its_batch(tmp_path, monkeypatch):
    """A signal in the middle of a batch: half a decision on disk would be a decision nobody took."""
    from novum.ledger import journal as module

    calls = 0
    real = module.link

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    with Journal(tmp_path) as journal:
        journal.append(refusals(0, 1), durable=True)
        monkeypatch.setattr(module, "link", interrupted)
        calls = 0
        with pytest.raises(KeyboardInterrupt):
            journal.append(refusals(1, 5), durable=True)
        monkeypatch.setattr(module, "link", real)
        journal.append(refusals(1, 1), durable=True)
        assert [record.event.number for record in journal.read()] == [0, 1]


def test_the_writer_does_not_build_on_a_broken_chain(tmp_path):
    with Journal(tmp_path) as journal:
        journal.append(refusals(0, 5), durable=True)
    with sqlite3.connect(tmp_path / "lab.db") as db:
        db.execute("UPDATE events SET time = time + 1 WHERE seq = 3")
    db.close()
    with Journal(tmp_path) as journal, pytest.raises(IntegrityError, match="event 3"):
        list(journal.read())


def test_what_was_durable_survives_a_power_loss_whatever_became_of_later_pages(tmp_path):
    """All that a commit waited for is on disk; pages written after it may be missing, cut or full of anything."""
    lab, rng = tmp_path / "lab", random.Random(0)
    safe: list[tuple[int, int]] = []
    with Journal(lab) as journal:
        for n in range(40):
            journal.append(refusals(10 * n, 10), durable=True)
            safe.append((10 * (n + 1), (lab / "lab.db-wal").stat().st_size))
        base, log = (lab / "lab.db").read_bytes(), (lab / "lab.db-wal").read_bytes()
    for number in range(60):
        events, length = rng.choice(safe[:-1])
        tail = bytearray(log[length:])
        kept = rng.randrange(len(tail) + 1)
        for page in range(0, kept, 4096):
            if rng.random() < 0.5:
                tail[page : page + 4096] = rng.choice((bytes(4096), rng.randbytes(4096)))[: len(tail) - page]
        after = tmp_path / f"after{number}"
        after.mkdir()
        (after / "lab.db").write_bytes(base)
        (after / "lab.db-wal").write_bytes(log[:length] + bytes(tail[:kept]))
        with Journal(after) as journal:
            found = [record.event.number for record in journal.read()]
            assert len(found) >= events
            assert found == list(range(len(found)))
            journal.append(refusals(len(found), 1), durable=True)


def test_a_clock_that_jumps_disturbs_nothing(tmp_path, monkeypatch):
    """Wall-clock time is a remark in the record: backwards, by years, or standing still, the campaign goes its way."""
    jumps = itertools.cycle([0, 3600, -7200, 10**8, -(10**8), 0, 0])
    true_time = time.time_ns
    monkeypatch.setattr("novum.ledger.journal.time.time_ns", lambda: true_time() + next(jumps) * 10**9)
    with session(coin_study(), Budget(trials=300), tmp_path / "jumping") as lab:
        lab.run()
        jumping = lab.state
    monkeypatch.setattr("novum.ledger.journal.time.time_ns", true_time)
    (tmp_path / "calm").mkdir()
    shutil.copy(tmp_path / "jumping" / "lab.secret", tmp_path / "calm")
    with session(coin_study(), Budget(trials=300), tmp_path / "calm") as lab:
        lab.run()
    assert verification.verify(tmp_path / "jumping").ok
    assert list(jumping.hypotheses) == list(lab.state.hypotheses)
    assert [one.verdict for one in jumping.hypotheses.values()] == [
        one.verdict for one in lab.state.hypotheses.values()
    ]


def test_who_looks_whether_a_lab_is_held_keeps_nobody_out(tmp_path):
    with Journal(tmp_path):
        pass
    handle = os.open(tmp_path / "lab.lock", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    threading.Timer(0.03, os.close, (handle,)).start()
    with Journal(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)

"""The journal: events in SQLite, one writer, any number of readers.

WAL with full synchronisation: a commit is on disk when it returns. Casual events wait up to GROUP_SECONDS for company,
so that a thousand trials cost a few commits; a decision takes everything before it along. The writer holds a file lock
that dies with its process, and a fencing token in the database that every commit checks: a writer that was replaced
while it was stopped cannot append.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from novum.core.events.event import Event, Record, kind_of
from novum.core.model.errors import IntegrityError, LabInUse, StorageError, UserError
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import encode
from novum.ledger.exact_form import departure
from novum.ledger.read_ahead import Row, read_ahead

SCHEMA = 3
GROUP_SECONDS = 0.05
LOOKING_SECONDS = 0.1
"""No look at a lock takes longer."""
BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
    payload TEXT NOT NULL, hash TEXT NOT NULL
);
"""


class Journal:
    """The Ledger port over `lab.db`. Use as a context manager; raises LabInUse when another writer lives.

    before_commit: called before events are committed, so that what they name is on disk before them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with _storage(directory):
            directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lease(directory)
        try:
            with _storage(directory):
                self._db = _connect(directory / "lab.db", "rwc")
                self._token = self._take_over()
                row = self._db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        except BaseException:
            os.close(self._lock)
            raise
        self._seq: int = row[0] if row else 0
        self._head: str = row[1] if row else GENESIS
        self._waiting: list[Row] = []
        self.before_commit: Callable[[], None] = lambda: None
        self._flushed = time.monotonic()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:
        """Append in order, all or none.

        Raises StorageError when the disk does not take it, ValueError for an event with NaN or infinity in it.
        """
        records, rows = self._linked([(event, encode(event)) for event in events])
        if records:
            self._waiting.extend(rows)
            self._seq, self._head = records[-1].seq, records[-1].hash
        if durable or time.monotonic() - self._flushed >= GROUP_SECONDS:
            self.flush()
        return records

    def read(self, after: int = 0) -> Iterable[Record]:
        """Records after a sequence number, in order; their chain is checked on the way."""
        self.flush()
        return _records(self._db, after, chained=True)

    def stands(self, seq: int, head: str) -> bool:
        """Whether event `seq` is in the ledger with this hash."""
        return _hash_of(self._db, seq) == head

    @property
    def end(self) -> tuple[int, str]:
        """Number and hash of the last event, those that wait for company included."""
        return self._seq, self._head

    def flush(self) -> None:
        """Commit what waits for company."""
        if self._waiting:
            self.before_commit()
            with _storage(self._directory), self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._check_token()
                self._db.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)", self._waiting)
            self._waiting.clear()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Commit, close, and give the lease back. Harmless when repeated."""
        if self._lock < 0:
            return
        try:
            self.flush()
        finally:
            self._db.close()
            os.close(self._lock)
            self._lock = -1

    def _linked(self, payloads: list[tuple[Event, str]]) -> tuple[list[Record], list[Row]]:
        """Records and rows for the next events; nothing is remembered yet: an interrupt leaves no half batch."""
        seq, head = self._seq, self._head
        records, rows = [], []
        for event, payload in payloads:
            seq, now, actor, kind = seq + 1, time.time_ns() // 1000, event.acted_by(), kind_of(type(event))
            head = link(head, seq, now, actor, kind, payload)
            rows.append((seq, now, actor, kind, payload, head))
            records.append(Record(seq, now, actor, kind, event, head))
        return records, rows

    def _take_over(self) -> int:
        """Prepare the schema and draw a new fencing token."""
        with self._db:
            self._db.executescript(_TABLES)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?), ('token', 0)", (SCHEMA,))
        schema = self._db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()[0]
        if schema > SCHEMA:
            self._db.close()
            raise UserError(f"{self._directory} was written by a newer version of novum; upgrade to open it")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE meta SET value = value + 1 WHERE key = 'token'")
            # From here on events may be of today's form; what older versions wrote stays as it is, see upcast.py.
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (SCHEMA,))
            token: int = self._db.execute("SELECT value FROM meta WHERE key = 'token'").fetchone()[0]
        return token

    def _check_token(self) -> None:
        token = self._db.execute("SELECT value FROM meta WHERE key = 'token'").fetchone()[0]
        if token != self._token:
            raise LabInUse(f"{self._directory} was taken over by another process while this one was stopped")


class Reader:
    """Read-only access to a lab's events; never blocks the writer and is never blocked by it."""

    def __init__(self, directory: Path) -> None:
        path = directory / "lab.db"
        if not os.path.isfile(path):  # noqa: PTH113 it takes any name, however long
            raise UserError(f"no lab in {directory}: give --lab DIR of an existing lab, or start one with `novum run`")
        try:
            self._db = _open_to_read(path)
        except sqlite3.Error as error:
            raise StorageError(f"cannot read the lab {directory}: {error}; is {path} a lab's database?") from error

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def stands(self, seq: int, head: str) -> bool:
        """Whether event `seq` is in the ledger with this hash."""
        return not self._empty() and _hash_of(self._db, seq) == head

    def read(self, after: int = 0, kind: str = "") -> Iterator[Record]:
        """Records after a sequence number, in order; `kind`: of this kind only. Raises IntegrityError for a bad one."""
        with _readable():
            if self._empty():
                return iter(())
        return _records(self._db, after, kind=kind)

    def _empty(self) -> bool:
        """Whether the writer has not got as far as the tables yet."""
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone() is None

    def rows(self) -> Generator[Row]:
        """The raw rows (seq, time, actor, kind, payload, hash), for whoever checks the chain."""
        with _readable():
            if self._empty():
                return
            yield from self._db.execute("SELECT seq, time, actor, kind, payload, hash FROM events ORDER BY seq")


def _hash_of(db: sqlite3.Connection, seq: int) -> str:
    """The hash of an event, of the beginning for 0; empty when there is no such event."""
    with _readable():
        row = db.execute("SELECT hash FROM events WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else (GENESIS if seq == 0 else "")


def _records(db: sqlite3.Connection, after: int, *, chained: bool = False, kind: str = "") -> Iterator[Record]:
    """Decoded records; `chained`: hash and form are checked, since the writer builds on nothing that is in doubt."""
    narrowed = "seq > ? AND kind = ?" if kind else "seq > ?"
    query = f"SELECT seq, time, actor, kind, payload, hash FROM events WHERE {narrowed} ORDER BY seq"
    previous = _hash_of(db, after) if chained else None
    with _readable():
        rows = db.execute(query, (after, kind) if kind else (after,))
        for row, event, exact in read_ahead(rows, exactly=chained):
            seq, now, actor, name, payload, head = row
            if chained and previous and link(previous, seq, now, actor, name, payload) != head:
                raise IntegrityError(f"event {seq} was changed after it was written: see `novum verify`")
            previous = head
            if isinstance(event, IntegrityError):
                raise IntegrityError(f"event {seq}: {event}") from event
            if chained and not exact and (said := departure(name, payload, event, older=True)):
                raise IntegrityError(f"event {seq} ({name}): {said}")
            yield Record(seq, now, actor, name, event, head)


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Read-only; on storage where SQLite cannot keep its index of the log, a closed ledger is read as it is."""
    db = _connect(path, "ro")
    try:
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        db.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    return db


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    if mode != "ro":
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
    return db


def is_held(directory: Path) -> bool:
    """Whether a living process writes to the lab."""
    try:
        handle = os.open(directory / "lab.lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _locked(handle: int) -> bool:
    """Whether the lock could be had; who only looks whether it is held has it for an instant, so it is tried again."""
    until = time.monotonic() + LOOKING_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(LOOKING_SECONDS / 10)
        else:
            return True


def _lease(directory: Path) -> int:
    """A lock that the kernel drops with its holder, so a dead writer is replaced at once."""
    with _storage(directory):
        handle = os.open(directory / "lab.lock", os.O_RDWR | os.O_CREAT, 0o644)
    if not _locked(handle):
        holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise LabInUse(
            f"the lab {directory} is in use by process {holder}: wait for it, stop it, or choose another --lab DIR"
        )
    with _storage(directory):
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


@contextmanager
def _storage(directory: Path) -> Iterator[None]:
    """Failures of the disk in words."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        text = getattr(error, "strerror", None) or str(error)
        if any(word in text for word in ("not a database", "malformed", "no such", "has no column")):
            raise StorageError(
                f"{directory}/lab.db is damaged or no lab's database ({text}): see `novum verify`, restore a copy, or "
                "choose another --lab DIR"
            ) from error
        raise StorageError(
            f"cannot write to the lab {directory}: {text}; what was committed is safe: free space or fix the "
            "permissions, then run the same command again"
        ) from error


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise IntegrityError(f"the ledger cannot be read: {error}") from error

"""Forged artefacts: what is refused, what counts as tampering, and that nothing is interpreted."""

import pickle

import pytest
from targets import MIB

from novum.core.model.trial import OutcomeKind


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import os; os.symlink('/etc/passwd', 'out')", "a symbolic link"),
        ("import os; os.symlink('other', 'out'); open('other', 'w')", "a symbolic link"),
        ("import os; os.mkfifo('out')", "a FIFO"),
        ("import os; open('other', 'w').write('x'); os.link('other', 'out')", "a file with further hard links"),
    ],
)
def test_tampering(play, source, why):
    ended = play(source, collect=("out",))
    assert ended.kind is OutcomeKind.TAMPERED
    assert ended.tampered == (f"the artefact out is {why}",)
    assert (ended.refused, ended.artefacts) == ({"out": why}, {})


def test_a_socket_as_artefact(play, tier):
    ended = play("import socket; socket.socket(socket.AF_UNIX).bind('out')", collect=("out",))
    assert ended.kind in (OutcomeKind.TAMPERED, OutcomeKind.CRASHED)  # at tier B there are no sockets
    assert ended.artefacts == {}


def test_a_symbolic_link_on_the_way(play):
    source = "import os; os.mkdir('real'); open('real/out', 'w').write('x'); os.symlink('real', 'way')"
    ended = play(source, collect=("way/out", "real/out"))
    assert ended.kind is OutcomeKind.TAMPERED
    assert (ended.artefacts, ended.refused) == ({"real/out": b"x"}, {"way/out": "a symbolic link"})


def test_tampering_is_worse_than_a_crash(play):
    assert play("import os; os.mkfifo('out'); 1/0", collect=("out",)).kind is OutcomeKind.TAMPERED


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("pass", "missing"),
        ("raise SystemExit(0)", "missing"),
        ("import os; os._exit(0)", "missing"),
        ("import os; os.mkdir('out')", "a directory"),
        ("open('out', 'wb').truncate(5 << 20)", f"too large: {5 * MIB} bytes, allowed are {MIB}"),
        ("import os; os.mkdir('out'); os.mkdir('out/out')", "a directory"),
    ],
)
def test_refused(play, source, why):
    ended = play(source, collect=("out",), max_artefact_bytes=MIB)
    assert (ended.kind, ended.cause) == (OutcomeKind.INVALID, f"the artefact out is {why}")
    assert (ended.refused, ended.tampered, ended.artefacts) == ({"out": why}, (), {})


def test_a_file_in_the_place_of_a_directory(play):
    assert play("open('a', 'w')", collect=("a/b",)).refused == {"a/b": "not in a directory"}


def test_bombs_stay_what_they_are(play):
    """A pickle is bytes, and so is an archive that would unpack to gigabytes."""
    bomb = pickle.dumps(_Bomb())
    ended = play(f"open('out', 'wb').write({bomb!r})", collect=("out",))
    assert (ended.kind, ended.artefacts) == (None, {"out": bomb})


class _Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('the pickle was run')",)


DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(1); os.close(2)
        while True:
            try:
                os.unlink("out")
            except OSError:
                pass
            {forge}
    os._exit(0)
time.sleep(0.1)
"""


@pytest.mark.parametrize("forge", ["open('out', 'w').write('forged')", "os.symlink('/etc/passwd', 'out')"])
def test_a_daemon_that_rewrites_artefacts(play, forge):
    """It races with the end of the program and never with the collection, which comes after its death."""
    for _ in range(3):
        ended = play(DAEMON.format(forge=forge), collect=("out",))
        assert ended.kind in (None, OutcomeKind.TAMPERED, OutcomeKind.INVALID)
        assert set(ended.artefacts.values()) <= {b"", b"forged"}


def test_a_daemon_is_dead_before_the_collection(play):
    source = """
import os, time
open("out", "w").write("honest")
if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    open("out", "w").write("forged")
    os._exit(0)
"""
    assert play(source, collect=("out",)).artefacts == {"out": b"honest"}


def test_reports_on_the_channel_cannot_be_forged(play):
    """Nothing that a program writes, anywhere, is taken for an answer."""
    source = "import os\nfor fd in range(1, 64):\n    try: os.write(fd, b'ready')\n    except OSError: pass"
    ended = play(source, collect=("out",))
    assert (ended.kind, ended.stdout, ended.stderr) == (OutcomeKind.INVALID, "ready", "ready")

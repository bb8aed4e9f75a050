"""A machine written by hand: says hello as a worker does, and then whatever a test wants it to say."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading

from novum.core.model.hardware import Machine
from novum.core.model.trial import TrialOutput, Usage
from novum.executors.local.frames import pack, take
from novum.executors.remote.messages import PROTOCOL, GroupReader, Hello, pack_ran
from novum.ledger.novum_code import code_hash
from novum.version import __version__


def honest(group):
    """What `echo` of the fault injection program gives."""
    return [TrialOutput(one.id, random.Random(one.seed).randbytes(16)) for one in group.trials]


def connected(address):
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection((host, int(port)), 10))


class RawMachine:
    """Answers each group with `answer(fence, group)`: frames to send. `heard`: all headers that came."""

    def __init__(self, address, token, name, answer=None, *, hello=None, slots=1):
        self.heard, self._buffer, self._groups = [], bytearray(), GroupReader()
        self.answer = answer or (lambda fence, group: [pack_ran(fence, honest(group), Usage(0.01, 0.01, 1))])
        self.socket = connected(address)
        machine = Machine(name, slots, "Linux", "a processor", "CPython 3", {}, "none")
        self.send(hello or Hello(token.secret, PROTOCOL, code_hash(), __version__, machine).packed())
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def send(self, frame):
        self.socket.sendall(frame)

    def close(self):
        self.socket.close()

    def _listen(self):
        try:
            while data := self.socket.recv(1 << 16):
                self._buffer += data
                while (frame := take(self._buffer)) is not None:
                    self._take(frame)
        except (OSError, ValueError):
            pass

    def _take(self, frame):
        self.heard.append(dict(frame.header))
        if frame.header["say"] == "welcome":
            self.send(pack({"say": "ready", "holds": []}))
        elif frame.header["say"] == "run":
            fence, group = self._groups.read(frame)
            for one in self.answer(fence, group):
                self.send(one)


def announcing(head, body):
    """The beginning of a frame that announces so many bytes."""
    return struct.pack("!IQ", head, body)

"""Every parser of bytes that Novum did not write: what it may raise, what it is given, and what attackers give it."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import labs
import model_servers as models
import numpy as np
import programs

from novum.agents.agent_task import AgentFailed
from novum.agents.parse_edit import read as read_edit
from novum.agents.token_meter import Meter, Scrubber
from novum.arenas import coinflip
from novum.arenas.digits import options as digit_options
from novum.arenas.digits.score import marks as digit_marks
from novum.arenas.program.artefact import Artefact, check_output, unpack
from novum.arenas.program.bundle import unpacked
from novum.arenas.program.manifest import Output
from novum.arenas.recall import options as recall_options
from novum.arenas.recall.score import marks as recall_marks
from novum.audit.pack_file import LEDGER, open_pack, write_archive
from novum.core.model.errors import IntegrityError, StudyError
from novum.core.model.trial import ArtefactError, Role, TrialOutput
from novum.executors.local.frames import pack, pack_outputs, take
from novum.executors.output_checks import NonsenseError
from novum.executors.output_checks import clean as clean_output
from novum.governance.mailbox import FOLDER, Mailbox
from novum.lab import wiring
from novum.researchers.language.comment_prompt import comment
from novum.researchers.language.endpoint.provider_reply import read_reply
from novum.researchers.language.parse_reply import read as read_answer
from novum.researchers.language.recorded_replies import Recorded
from novum.researchers.language.reply_forms import GeneForm
from novum.researchers.language.untrusted_text import clean
from novum.sandbox.output_text import clean as clean_log
from novum.source.blocks import blocks
from novum.source.edits import changes
from novum.source.meaning import parsed
from novum.text.bounded_json import load_json
from novum.text.clean import exact, for_terminal
from novum.text.json_in_prose import find_objects
from novum.text.secret_scan import Secrets


@dataclass(frozen=True)
class ForeignParser:
    """read: takes bytes. errors: all that it may raise. seeds: what it is meant for. units: repeated by attackers.

    memory: bytes that it may take for a byte of what it reads, besides 4 MiB.
    """

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...] = ()
    seeds: tuple[bytes, ...] = (b"",)
    units: tuple[bytes, ...] = ()
    memory: int = 32


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode(errors="surrogateescape"))


def _decoded(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode(errors="replace"))


@cache
def _coins():
    arena = wiring.arena(labs.coin_study())
    return arena, GeneForm(arena.space, arena.space.validate({}))


def _answer(text: str) -> object:
    arena, form = _coins()
    return read_answer(text, form, arena.spec)


def _metered(kind: str, key: str = "sk-kept-outside") -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        meter, scrubber = Meter(kind), Scrubber(key)
        for at in range(0, len(data), 4096):
            meter.feed(data[at : at + 4096])
            scrubber.feed(data[at : at + 4096])
        return meter.end(), scrubber.end()

    return read


def _mailed(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / FOLDER).mkdir()
        (Path(place) / FOLDER / "1.json").write_bytes(data)
        return Mailbox(Path(place)).waiting(), Mailbox(Path(place)).authors()


def _packed(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "pack.zip"
        path.write_bytes(data)
        with open_pack(path) as pack_:
            return [pack_.read(name) for name in pack_.names], list(pack_.rows())


def _pack(ledger: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        write_archive(Path(place) / "pack.zip", {LEDGER: ledger})
        return (Path(place) / "pack.zip").read_bytes()


def _array(value) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def _forged(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("latin1")


_HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n",
    "{'descr': 'O', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8)}",
    "{'descr': '<f8', 'shape': (99999999999999999999,)}",
    "(" * 9000,
    "-" * 9000 + "1",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1L,)}",
    "'''",
    "{**{}}",
    "\\",
    "\x00",
    "{'descr': 'S0', 'fortran_order': False, 'shape': (9,)}",
    "[" * 4000,
    "{'descr': {'x': 1}, 'shape': ()}",
    "{[]: 1}",
)
_BRACKETS = (b"{", b"{}", b"{},", b'{"a":', b'{"a":[', b"[", b"[],", b'{"a":1},', b'"a",', b"0,", b'"', b'\\"', b"\xff")
_ESCAPES = (b"\x1b", b"\x1b[", b"\x1b]", b"\x1b[0;", b"\x1b]0;a", b"\x1bP", b"\x9b", b"\xe2\x80\xae", b"\r", b"a")
_SECRETS = (
    b"sk-",
    b"key=",
    b'api_key="',
    b"password=",
    b"Bearer ",
    b"://a:",
    b"-----BEGIN ",
    b"-----BEGIN A PRIVATE KEY-----",
    b"-----END A",
    b"eyJ",
    b"eyJaaaaaaaaaa.",
    b"authorization: ",
    b"secret:",
    b"_token",
    b"key ",
    b"ghp_",
    b"a.",
    b"Ab1",
)
_BLOCK = b"solver.py\n<<<<<<< SEARCH\nSTEP = 0.5\n=======\nSTEP = 0.7\n>>>>>>> REPLACE\n"
_EDIT = {"status": 0, "files": {"a.py": "x = 1\n"}, "deleted": [], "refused": {}, "left_out": []}
_REQUEST = {"act": "propose", "author": "alice", "body": {"genome": {"metal": 4}, "probability": None}}
_COMPLETION = {
    "id": "x",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
}
_EVENT = b'{"actor":"lab","hash":"' + b"0" * 64 + b'","kind":"a","payload":{"b":[1]},"seq":1,"time":2}\n'


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _program() -> bytes:
    with tempfile.TemporaryDirectory() as place:
        return programs.bundle(Path(place) / "p").packed().encode()


def _bundled(content: bytes) -> bytes:
    return base64.b85encode(zlib.compress(content))


_OPTIONS = digit_options.Options(), recall_options.Options()

FOREIGN_PARSERS = {
    "JSON within bounds": ForeignParser(load_json, (ValueError,), (_json(_COMPLETION), b"[1, 2.5, null]"), _BRACKETS),
    "JSON in prose": ForeignParser(
        _text(lambda text: find_objects(text, "genome")),
        (),
        (models.coin().encode(), b'a {"genome": "\n",} b'),
        _BRACKETS,
    ),
    "an answer of a model": ForeignParser(
        _text(_answer), (StudyError,), (models.coin(metal=3).encode(), b'{"genome": {"metal": null}}'), _BRACKETS
    ),
    "a comment of a model": ForeignParser(_text(comment), (StudyError,), (b'{"comment": "yes"}',), _BRACKETS),
    "a reply by OpenAI's protocol": ForeignParser(
        lambda data: read_reply(data, "openai"), (), (_json(_COMPLETION), b'{"error": {"message": "no"}}'), _BRACKETS
    ),
    "a reply by Anthropic's protocol": ForeignParser(
        lambda data: read_reply(data, "anthropic"), (), (b'{"content": [{"text": "a"}], "usage": null}',), _BRACKETS
    ),
    "a recorded prompt": ForeignParser(
        _text(lambda text: Recorded(prompt=text).start),
        (),
        (b'{"base": {}, "schema": {"properties": {"a": 1}}}',),
        _BRACKETS,
    ),
    "tokens of a reply": ForeignParser(_metered("application/json"), (), (_json(_COMPLETION),), _BRACKETS),
    "tokens of a stream": ForeignParser(
        _metered("text/event-stream"),
        (),
        (b"data: " + _json(_COMPLETION) + b"\n",),
        (*_BRACKETS, b"\n", b"data:usage\n"),
    ),
    "an agent's edit": ForeignParser(read_edit, (AgentFailed,), (_json(_EDIT),), _BRACKETS),
    "search/replace blocks": ForeignParser(
        _text(lambda text: changes(text, ["solver.py", "other.py"])),
        (StudyError,),
        (_BLOCK, _BLOCK * 3),
        (
            b"<<<<<<< SEARCH\n=====\n",
            b"<<<<<<< SEARCH\n",
            b"=======\n",
            b">>>>>>> REPLACE\n",
            b"<",
            b"=====  ",
            b"\n",
            b"<<<<<<< SEARCH\n=====\n>>>>>>> REPLACE",
            b"<<<<<<< SEARCH ",
            _BLOCK,
        ),
    ),
    "markers of what may change": ForeignParser(
        _text(lambda text: blocks(text)),
        (StudyError,),
        (b"# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n",),
        (
            b"# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n",
            b"EVOLVE-BLOCK-",
            b"#",
            b"# ",
            b"/*",
            b"#  EVOLVE-BLOCK-X",
            b"\n",
        ),
    ),
    "a program": ForeignParser(
        _text(lambda text: parsed.__wrapped__(text, "a.py")),
        (StudyError,),
        (programs.SOLVER.encode(),),
        (
            b"(",
            b"[",
            b"-",
            b"not ",
            b"x = 1\n",
            b"if x:\n ",
            b"a.",
            b"'''",
            b"f'{",
            b"\\\n",
            b"lambda:",
            b"a if b else ",
        ),
        memory=500,
    ),
    "a program's artefact": ForeignParser(
        unpack,
        (ArtefactError,),
        (Artefact({"a.json": b"{}", "b.npy": b"xy"}).packed(), b"\0\0\0\2{}"),
        (b"\0\0\0\x10", *_BRACKETS),
    ),
    "an array": ForeignParser(
        lambda data: check_output(Output("a.npy"), data),
        (ArtefactError,),
        (_array(np.arange(6.0).reshape(2, 3)), _array(np.zeros(3, "i2,f4")), *map(_forged, _HEADERS)),
        (b"\x93NUMPY\1\0",),
    ),
    "a JSON output": ForeignParser(
        lambda data: check_output(Output("a.json"), data), (ArtefactError,), (b'{"a": [1, 2]}',), _BRACKETS
    ),
    "a packed program": ForeignParser(
        _text(unpacked),
        (StudyError,),
        (_program(), _bundled(b'{"shown": []}'), _bundled(b"[" * 5000)),
        (b"0", b"c-", b"~"),
    ),
    "a worker's frame": ForeignParser(
        lambda data: take(bytearray(data)),
        (NonsenseError,),
        (pack({"ended": "crashed", "cause": "x"}), pack_outputs([TrialOutput("t", artefact=b"ab", facts={"a": 1.0})])),
        (b"\0\0\0\1", *_BRACKETS),
    ),
    "a request in the mailbox": ForeignParser(_mailed, (), (_json(_REQUEST), b"[]"), _BRACKETS),
    "an evidence pack": ForeignParser(
        _packed, (IntegrityError,), (_pack(_EVENT), _pack(_EVENT * 3)), (b"PK\3\4", b"PK\5\6")
    ),
    "coin flips": ForeignParser(
        lambda data: coinflip.share_of_heads(data, 100), (ArtefactError,), (b"\1" * 13,), (b"\xff",)
    ),
    "digits": ForeignParser(
        lambda data: digit_marks(_OPTIONS[0], 1, data, Role.SEARCH), (ArtefactError,), (b"\1" * 100,), (b"\t",)
    ),
    "recalled tokens": ForeignParser(
        lambda data: recall_marks(_OPTIONS[1], 1, data), (ArtefactError,), (b"\1\0" * 100,), (b"\xff\0",)
    ),
    "what a candidate printed": ForeignParser(_decoded(clean_log), (), (b"\x1b[31mred\x1b[0m\n",), _ESCAPES),
    "what a worker says": ForeignParser(_text(clean_output), (), (b"\x1b]0;title\x07a\r\n",), _ESCAPES),
    "text for a model": ForeignParser(_text(clean), (), (b"\x1b]0;title\x07a\r\n",), _ESCAPES),
    "text for a terminal": ForeignParser(
        _text(lambda text: (for_terminal(text), exact(text))), (), (b"\x1b[31mred\x1b[0m\n",), _ESCAPES, 100
    ),
    "secrets in a text": ForeignParser(
        _text(lambda text: Secrets(("hunter2hunter2",)).clean(text)), (), (b'api_key = "hunter2hunter2"',), _SECRETS
    ),
}

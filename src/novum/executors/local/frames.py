"""The bytes on the channels: frames of a length prefix, a JSON header and a raw body.

Lab to server is trusted and carries a pickled group in the body. Child to server to lab is not trusted: the server
passes the child's bytes on unread, the lab parses them here, and nothing is unpickled. Covered: size caps (1 MiB of
header, 64 MiB of artefacts), every length and type, trailing bytes. Not covered: a child that attacks the server
process itself with ptrace or signals (that takes a sandbox).
"""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NoReturn

from novum.core.model.trial import OutcomeKind, TrialGroup, TrialOutput, Usage
from novum.executors.output_checks import MAX_ARTEFACT_BYTES, NonsenseError, checked, failed, with_output
from novum.text.bounded_json import JsonBounds, load_json

PREFIX = struct.Struct("!IQ")
MAX_HEADER_BYTES = 1 << 20
ENTERED = b"\x01"
"""What a sandboxed child writes before its frame, and before any foreign code runs: the walls stand."""
MAX_FRAME_BYTES = PREFIX.size + MAX_HEADER_BYTES + MAX_ARTEFACT_BYTES
_OUTPUT_KEYS = {"trial_id", "bytes", "failure", "cause", "facts", "curve", "remarks", "resumed"}
_BOUNDS = JsonBounds(size=MAX_HEADER_BYTES, values=200_000, containers=50_000)
_ENDINGS = frozenset({OutcomeKind.CRASHED, OutcomeKind.INVALID, OutcomeKind.OUT_OF_MEMORY})


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: a JSON object and raw bytes."""

    header: Mapping[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What the server saw of one group. `ended` is None when the child handed over `payload` and exited cleanly."""

    ended: OutcomeKind | None
    cause: str
    output: str
    usage: Usage
    payload: bytes


def pack(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Make one frame, ready to send."""
    head = json.dumps(header).encode()
    return b"".join((PREFIX.pack(len(head), len(body)), head, body))


def take(buffer: bytearray) -> Frame | None:
    """Remove and return the first complete frame of `buffer`, None while it is incomplete. Raises NonsenseError."""
    if len(buffer) < PREFIX.size:
        return None
    head, body = PREFIX.unpack_from(buffer)
    # A child's frame travels inside a server's frame, so a server's may be one header longer.
    if head > MAX_HEADER_BYTES or body > MAX_FRAME_BYTES:
        raise NonsenseError(f"a frame announces {head} + {body} bytes")
    end = PREFIX.size + head + body
    if len(buffer) < end:
        return None
    header = _object(bytes(buffer[PREFIX.size : PREFIX.size + head]))
    frame = Frame(header, bytes(memoryview(buffer)[PREFIX.size + head : end]))
    del buffer[:end]
    return frame


def pack_group(group: TrialGroup) -> bytes:
    """Pack a group on its way to a server."""
    return pack({}, pickle.dumps(group))


def unpack_group(frame: Frame) -> TrialGroup:
    """Unpack the group that the lab sent."""
    group: TrialGroup = pickle.loads(frame.body)  # noqa: S301 (only the lab holds the other end of this channel)
    return group


def pack_report(report: Report, more: Mapping[str, Any] | None = None) -> bytes:
    """Pack a report on its way to the lab. more: what else its header says."""
    usage = report.usage
    header = {
        "ended": report.ended,
        "cause": report.cause,
        "output": report.output,
        "usage": [usage.cpu_seconds, usage.wall_seconds, usage.peak_bytes],
        **(more or {}),
    }
    return pack(header, report.payload)


def unpack_report(frame: Frame) -> Report:
    """Unpack the report of a server. Raises KeyError, TypeError or ValueError when the server talks nonsense."""
    header = frame.header
    ended = None if header["ended"] is None else OutcomeKind(header["ended"])
    cpu, wall, peak = header["usage"]
    return Report(ended, str(header["cause"]), str(header["output"]), Usage(cpu, wall, peak), frame.body)


def pack_outputs(outputs: Sequence[TrialOutput], more: Mapping[str, Any] | None = None) -> bytes:
    """Pack the checked outputs of a child, with what else the header is to say."""
    entries = [
        {
            "trial_id": output.trial_id,
            "bytes": None if output.artefact is None else len(output.artefact),
            "failure": output.failure,
            "cause": output.cause,
            "facts": dict(output.facts),
            "curve": output.curve,
            "remarks": output.remarks,
            "resumed": output.resumed,
        }
        for output in outputs
    ]
    return pack({**(more or {}), "outputs": entries}, b"".join(output.artefact or b"" for output in outputs))


def pack_plain(returned: object) -> bytes | None:
    """What `pack_outputs` would pack, for outputs that are nothing but artefacts and numbers, else None.

    Nothing is checked: the lab does that with whatever arrives. Checks and a JSON encoder would cost a child of a
    server, which copies each page that it touches, more than all the rest of its life.
    """
    if type(returned) is not list:
        return None
    entries, bodies = [], []
    for one in returned:
        if type(one) is not TrialOutput or type(one.artefact) is not bytes or one.failure is not None or one.cause:
            return None
        if type(one.trial_id) is not str or type(one.facts) is not dict or one.curve:
            return None
        if one.resumed != (0.0, 0.0) or one.remarks:
            return None
        # A number minus itself is nothing, but for NaN and infinity.
        if not all(type(n) is str and type(x) is float and x - x == 0 for n, x in one.facts.items()):
            return None
        facts = ", ".join(f"{quoted(name)}: {value!r}" for name, value in one.facts.items())
        entries.append(
            f'{{"trial_id": {quoted(one.trial_id)}, "bytes": {len(one.artefact)}, "failure": null, '
            f'"cause": "", "facts": {{{facts}}}, "curve": [], "remarks": "", "resumed": [0.0, 0.0]}}'
        )
        bodies.append(one.artefact)
    if sum(map(len, bodies)) > MAX_ARTEFACT_BYTES:
        return None
    head = f'{{"outputs": [{", ".join(entries)}]}}'.encode()
    body = b"".join(bodies)
    return b"".join((PREFIX.pack(len(head), len(body)), head, body))


def pack_ending(kind: OutcomeKind, cause: str) -> bytes:
    """Pack how a child ended before it had outputs."""
    return pack({"ended": kind, "cause": cause})


def judge(report: Report, group: TrialGroup) -> tuple[TrialOutput, ...]:
    """Return the outputs of `group`: the child's when they fit, else one failure for every trial. Never raises."""
    if report.ended is not None:
        return failed(group, report.ended, with_output(report.cause, report.output))
    try:
        return _unpack_payload(report, group)
    except NonsenseError as error:
        return failed(
            group, OutcomeKind.INVALID, with_output(f"the worker's answer is not valid: {error}", report.output)
        )


def _unpack_payload(report: Report, group: TrialGroup) -> tuple[TrialOutput, ...]:
    buffer = bytearray(report.payload)
    frame = take(buffer)
    if frame is None or buffer:
        raise NonsenseError("its frame is cut short" if frame is None else f"{len(buffer)} bytes follow its frame")
    if set(frame.header) == {"ended", "cause"} and not frame.body:
        kind, cause = frame.header["ended"], frame.header["cause"]
        if not isinstance(kind, str) or kind not in _ENDINGS or not isinstance(cause, str):
            raise NonsenseError("it ended in a way that it cannot know")
        return failed(group, OutcomeKind(kind), with_output(cause, report.output))
    entries = frame.header.get("outputs")
    if set(frame.header) != {"outputs"} or not isinstance(entries, list):
        raise NonsenseError("its header has other fields than `outputs`")
    return checked(split_outputs(entries, frame.body), group)


def split_outputs(entries: list[Any], body: bytes) -> list[TrialOutput]:
    """The outputs of the entries of a header and the artefacts of a body, not checked yet. Raises NonsenseError."""
    outputs, at = [], 0
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != _OUTPUT_KEYS:
            raise NonsenseError("an output has missing or unknown fields")
        size, cause = entry["bytes"], entry["cause"]
        if not (size is None or (type(size) is int and 0 <= size <= len(body) - at)) or not isinstance(cause, str):
            raise NonsenseError("an output announces an impossible size or cause")
        failure = entry["failure"]
        if failure is not None and (not isinstance(failure, str) or failure not in set(OutcomeKind)):
            raise NonsenseError("an output's failure is not a kind")
        artefact = None if size is None else body[at : at + size]
        at += size or 0
        kind = OutcomeKind(failure) if failure else None
        rest = entry["facts"], entry["curve"], entry["remarks"], entry["resumed"]
        outputs.append(TrialOutput(entry["trial_id"], artefact, kind, cause, *rest))
    if at != len(body):
        raise NonsenseError(f"{len(body) - at} bytes belong to no output")
    return outputs


def _object(raw: bytes) -> dict[str, Any]:
    try:
        header = load_json(raw, _BOUNDS, parse_constant=_refuse)
    except ValueError as error:
        raise NonsenseError(f"its header is not JSON ({type(error).__name__})") from error
    if not isinstance(header, dict):
        raise NonsenseError("its header is not a JSON object")
    return header


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")

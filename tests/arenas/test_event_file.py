"""TensorBoard's event files: what writers wrote is read, what is forged or broken is refused, in bounded time."""

from __future__ import annotations

import math
import random
import struct
from contextlib import suppress
from pathlib import Path

import pytest

from novum.arenas.program.logs.event_file import is_event_file, masked_crc, scalars
from novum.arenas.program.manifest import Report
from novum.arenas.program.score_in_file import columns
from novum.arenas.program.score_in_files import score_in_files
from novum.core.model.trial import ArtefactError

DATA = Path(__file__).parent / "data"
NAME = "runs/a/events.out.tfevents.1.host"


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def packed(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def event(tag: str, value: bytes, wall_time: float = 1.0, step: int = 0) -> bytes:
    inner = packed(1, packed(1, tag.encode()) + value)
    return b"\x09" + struct.pack("<d", wall_time) + b"\x10" + varint(step % (1 << 64)) + packed(5, inner)


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def simple(value: float) -> bytes:
    return b"\x15" + struct.pack("<f", value)


def file(*values: float, tag: str = "Loss/val", start: float = 0.0) -> bytes:
    events = (record(event(tag, simple(value), start + n, n)) for n, value in enumerate(values))
    return record(b"\x1a\x0dbrain.Event:2") + b"".join(events)


def test_the_check_sum_is_that_of_castagnoli():
    crc = (masked_crc(b"123456789") - 0xA282EAD8) % 2**32
    assert ((crc << 15) | (crc >> 17)) % 2**32 == 0xE3069283  # RFC 3720 and every catalogue of check sums


def test_what_tensorboardx_wrote_is_read():
    (path,) = DATA.glob("*.tensorboardx")
    found = columns(path.name, path.read_bytes())
    assert found["Loss/val"] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    assert found["Loss/train"] == pytest.approx([0.5 / n for n in range(1, 6)])


def test_what_tensorflow_2_writes_is_read_tensors_of_one_number_included():
    (path,) = DATA.glob("*.tensorboard")
    found = [one for one in scalars(path.name, path.read_bytes()) if one.tag == "val/loss"]
    assert [one.value for one in found] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert [(one.step, one.wall_time) for one in found] == [(n, 1000.0 + n) for n in range(4)]
    assert columns(path.name, path.read_bytes())["dbl"] == [0.0, 1.0, 2.0, 3.0]


def test_any_numbers_come_back():
    rng = random.Random(0)
    values = [struct.unpack("<f", struct.pack("<f", rng.gauss(0, 10 ** rng.randint(-8, 8))))[0] for _ in range(200)]
    assert columns(NAME, file(*values))["Loss/val"] == values
    (odd,) = scalars(NAME, record(event("x", simple(math.nan), 2.5, -7)))
    assert math.isnan(odd.value)
    assert (odd.step, odd.wall_time) == (-7, 2.5)


def test_what_is_no_single_number_is_passed_over():
    floats = b"\x08\x01" + packed(5, struct.pack("<ff", 1, 2))
    text = b"\x08\x07" + packed(8, b"words")
    data = record(event("pair", packed(8, floats))) + record(event("text", packed(8, text))) + file(3.0)
    assert columns(NAME, data) == {"Loss/val": [3.0]}


def test_a_file_that_ends_within_a_record_is_read_up_to_it():
    whole = file(1.0, 2.0)
    for cut in range(1, len(file(2.0)) - len(file())):
        assert columns(NAME, whole[:-cut])["Loss/val"] == [1.0]


def test_every_flipped_bit_of_a_scalar_is_noticed():
    whole = bytearray(file(1.0))
    start = len(file())
    for at in range(start, len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 1 << at % 8
        try:
            found = columns(NAME, bytes(broken))
        except ArtefactError:
            continue
        assert "Loss/val" not in found, at  # what became no scalar is not summed up


def test_random_bytes_do_no_harm():
    rng = random.Random(1)
    for size in range(200):
        data = rng.randbytes(size)
        for text in (data, record(data), record(packed(5, data)), record(packed(5, packed(1, data)))):
            with suppress(ArtefactError):
                list(scalars(NAME, text))


def test_files_of_one_folder_are_one_log_by_wall_time():
    report = Report(file="runs/*/events.out.tfevents.*", key="Loss/val")
    first, second = (
        {"runs/a/events.out.tfevents.9.h": file(3.0, 2.0)},
        {"runs/a/events.out.tfevents.10.h": file(1.5, start=100.0)},
    )
    assert score_in_files(report, {**second, **first}) == 1.5
    assert score_in_files(Report(file=report.file, key="Loss/val", take="max"), {**first, **second}) == 3.0
    other = {"runs/b/events.out.tfevents.1.h": file(9.0, tag="Loss/train")}
    assert score_in_files(report, {**first, **other}) == 2.0


def test_two_files_that_may_be_meant_are_no_score():
    report = Report(file="**/*", key="Loss/val")
    files = {"a/events.out.tfevents.1": file(1.0), "b/events.out.tfevents.1": file(2.0)}
    with pytest.raises(ArtefactError, match=r"2 files that fit \*\*/\* have 'Loss/val', in 2 folder"):
        score_in_files(report, files)
    json = {"a/x.json": b'{"Loss/val": 1}', "a/y.json": b'{"Loss/val": 2}'}
    with pytest.raises(ArtefactError, match="in 1 folder"):
        score_in_files(report, json)
    with pytest.raises(ArtefactError, match="has no number under 'Loss/val', only 'other'"):
        score_in_files(report, {"a/x.json": b'{"other": 1}'})
    with pytest.raises(ArtefactError, match="is missing"):
        score_in_files(report, {})


def test_names_of_event_files():
    assert is_event_file("runs/x/events.out.tfevents.1700000000.host.1.0")
    assert not is_event_file("runs.tfevents.d/x.json")

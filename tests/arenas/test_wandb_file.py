"""W&B's offline log: what wandb wrote is read, records over several blocks too; what is forged or broken is refused."""

from __future__ import annotations

import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from novum.arenas.program.logs.wandb_file import MARK, wandb_cells
from novum.arenas.program.score_in_file import columns
from novum.core.model.trial import ArtefactError

REAL = Path(__file__).parent / "data" / "run-1.wandb"
BLOCK = 1 << 15


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def items(kind: int, values: dict[str, str]) -> bytes:
    return field(
        kind, b"".join(field(1, field(1, key.encode()) + field(16, text.encode())) for key, text in values.items())
    )


def file(*records: bytes) -> bytes:
    """The records as LevelDB's log writes them: in pieces that end where a block does."""
    data = bytearray(MARK)
    for record in records:
        rest, first = record, True
        while rest or first:
            left = BLOCK - len(data) % BLOCK
            if left < 7:
                data += bytes(left)
                continue
            piece, rest = rest[: left - 7], rest[left - 7 :]
            kind = 1 if first and not rest else 2 if first else 3 if rest else 4
            data += struct.pack("<IHB", zlib.crc32(bytes([kind]) + piece), len(piece), kind) + piece
            first = False
    return bytes(data)


def test_what_wandb_wrote_is_read():
    found = columns(REAL.name, REAL.read_bytes())
    assert found["val/loss"] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert found["nested.acc"] == [0, 0.25, 0.5, 0.75]
    assert found["best"] == [0.25]
    assert not any(key.startswith("_") for key in found)


def test_histories_come_in_their_order_and_summaries_only_add():
    rows = [items(2, {"loss": str(n), "long": f'"{"x" * 9000}"'}) for n in range(20)]
    data = file(*rows, items(3, {"loss": "99", "best": "0", "table": '{"_type": "table"}'}))
    assert len(data) > 5 * BLOCK
    found = columns("run-1.wandb", data)
    assert found["loss"] == [float(n) for n in range(20)]
    assert found["best"] == [0.0]
    assert "table" not in found


def test_a_log_whose_writer_was_killed_is_read_up_to_there():
    data = file(items(2, {"loss": "1"}), items(2, {"loss": "2"}))
    for cut in range(1, len(data) - len(file(items(2, {"loss": "1"})))):
        assert columns("run-1.wandb", data[:-cut])["loss"] == [1.0]


def test_what_is_broken_or_forged_is_refused():
    data = bytearray(file(items(2, {"loss": "1"})))
    data[-1] ^= 1
    with pytest.raises(ArtefactError, match="a wrong check sum"):
        list(wandb_cells("run-1.wandb", bytes(data)))
    with pytest.raises(ArtefactError, match="does not begin like one"):
        list(wandb_cells("run-1.wandb", b"{}"))
    with pytest.raises(ArtefactError, match="no log of W&B"):
        list(wandb_cells("run-1.wandb", file(b"\xff\xff")))
    rng = random.Random(0)
    for size in range(150):
        for record in (rng.randbytes(size), field(2, rng.randbytes(size)), field(2, field(1, rng.randbytes(size)))):
            with suppress(ArtefactError):
                list(wandb_cells("run-1.wandb", file(record)))

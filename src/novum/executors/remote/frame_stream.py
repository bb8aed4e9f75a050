"""Frames on an asyncio stream, each held to a size before its bytes are taken in."""

from __future__ import annotations

import asyncio

from novum.executors.local.frames import MAX_FRAME_BYTES, PREFIX, Frame, take
from novum.executors.output_checks import NonsenseError


async def read_frame(reader: asyncio.StreamReader, most: int = MAX_FRAME_BYTES) -> Frame:
    """The next frame of at most so many bytes. Raises NonsenseError, asyncio.IncompleteReadError at the end."""
    prefix = await reader.readexactly(PREFIX.size)
    head, body = PREFIX.unpack(prefix)
    if head + body > most:
        raise NonsenseError(f"a frame announces {head} + {body} bytes, at most {most} are read")
    frame = take(bytearray(prefix + await reader.readexactly(head + body)))
    if frame is None:
        raise NonsenseError("a frame is cut short")
    return frame

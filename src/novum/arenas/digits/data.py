"""The images, in parts that never change: 720 to learn from, and 359 each for search, gate and final.

They are scikit-learn's copy of the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak,
UCI, 1998, doi 10.24432/C50P49): 1,797 images of 8 x 8 pixels with 17 grey levels, all different. The file is read where
the package lies, without importing it, since the lab's own process has no use for it.

Which row is in which part follows from PARTS_KEY alone. A worker asks for `images`, `sample` and `lesson`; `answers`
is for the scorer. Whatever is drawn comes from Philox (Salmon et al., SC 2011) keyed by a hash of seed and name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from novum.arenas.digits.options import Options
from novum.arenas.digits.packaged_tables import table_text
from novum.core.model.trial import Role

Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]

ROWS = 1797
PIXELS = 64
CLASSES = 10
PARTS_KEY = 0x6469676974732E31
FILE = "digits.csv.gz"
FILE_DIGEST = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"

_ORDER: Ints = np.argsort(np.random.Philox(key=PARTS_KEY).random_raw(ROWS), kind="stable")
POOL, _SEARCH, _GATE, _FINAL = np.split(_ORDER, [720, 1079, 1438])
PARTS: Mapping[Role, Ints] = {Role.SEARCH: _SEARCH, Role.GATE: _GATE, Role.FINAL: _FINAL}
"""Row numbers of what is scored, by role. A trial answers for all of them, in this order."""

SCORED: Ints = np.concatenate(list(PARTS.values()))


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator that belongs to (seed, name); equal arguments give equal streams on every machine."""
    word = hashlib.blake2b(f"novum.digits/{seed}/{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(word, dtype="<u8")))


def images(rows: Ints) -> Pixels:
    """Grey levels 0 to 16 of these rows, [rows, 64]. Raises MissingExtra or UserError."""
    return _pixels()[rows]


def sample(seed: int, draw: int, count: int) -> Ints:
    """Places in POOL of what a trial learns from: drawn without replacement; a longer sample begins with a shorter."""
    keys = stream(seed, f"sample/{draw}").bit_generator.random_raw(POOL.size)
    return np.argsort(keys, kind="stable")[:count]


def lesson(options: Options, seed: int, places: Ints) -> Ints:
    """Labels of these places in POOL, as a trial of this seed is told them."""
    return (_drawn(seed, "pool", POOL.size) if options.shuffled else _pool_labels())[places]


def answers(options: Options, seed: int, role: Role) -> Ints:
    """Labels of a scored part, which only the lab may know."""
    return _drawn(seed, role, PARTS[role].size) if options.shuffled else _part_labels(role)


def _drawn(seed: int, name: str, count: int) -> Ints:
    """Labels that have nothing to do with the images. Uniform, so that no constant guess is better than another."""
    return stream(seed, f"{name}/shuffled").integers(CLASSES, size=count)


@cache
def _pixels() -> Pixels:
    pixels = np.loadtxt(_lines(), delimiter=",", usecols=range(PIXELS), dtype=np.uint8)
    pixels.setflags(write=False)
    return pixels


@cache
def _pool_labels() -> Ints:
    return labels(POOL)


@cache
def _part_labels(role: Role) -> Ints:
    return labels(PARTS[role])


def labels(rows: Ints) -> Ints:
    """The digits in these rows."""
    lines = _lines()
    found = np.array([int(lines[row].rsplit(",", 1)[1]) for row in rows], dtype=np.int64)
    found.setflags(write=False)
    return found


def _lines() -> list[str]:
    """The file's lines. Not kept: a worker's memory must not hold the labels of the scored parts."""
    return table_text(FILE, FILE_DIGEST, "the arena 'digits'").splitlines()

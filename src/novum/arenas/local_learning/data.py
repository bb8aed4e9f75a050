"""What a trial learns from and what it is scored on, by task, role and seed. NumPy only.

MNIST-1D: search, gate and final trials draw from generators with different parameters, and every seed draws anew.
Digits: the parts of the digits arena, which are fixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from novum.arenas.digits import data as digits
from novum.arenas.digits.options import Options as DigitsOptions
from novum.arenas.local_learning.mnist1d import CLASSES, Floats, Generator, Ints, labelled
from novum.arenas.local_learning.options import Options
from novum.core.model.trial import Role
from novum.population.streams import stream

GENERATORS: Mapping[Role, Generator] = {
    Role.SEARCH: Generator(),
    Role.GATE: Generator(padding=(33, 60), scaling=0.5, correlated=0.28, shear=0.85),
    Role.FINAL: Generator(padding=(39, 60), scaling=0.3, correlated=0.22, shear=0.65),
}
"""The paper's parameters for the search; wider and narrower variation for what the search does not see."""
BRIGHTEST = 16.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """Standardised inputs [rows, inputs] and classes [rows]."""

    inputs: npt.NDArray[np.float32]
    labels: Ints


def lesson(options: Options, role: Role, seed: int) -> Lesson:
    """What a trial learns from."""
    inputs = _learned(options, role, seed)
    if options.task == "digits":
        labels = digits.lesson(DigitsOptions(shuffled=options.shuffled), seed, _places(options, seed))
    else:
        labels = _shuffled(options, seed, "train", _drawn(options, role, seed, "train")[1])
    return Lesson(_standard(inputs, inputs), labels)


def questions(options: Options, role: Role, seed: int) -> npt.NDArray[np.float32]:
    """Inputs that a trial is asked about, [rows, inputs], standardised by what it learned from.

    Of the digits, all parts in the order of the digits arena, whatever the role.
    """
    asked = _grey(digits.SCORED) if options.task == "digits" else _drawn(options, role, seed, "held-out")[0]
    return _standard(asked, _learned(options, role, seed))


def answers(options: Options, role: Role, seed: int) -> Ints:
    """The classes that a trial of this role is scored by, which only the lab may know."""
    if options.task == "digits":
        return digits.answers(DigitsOptions(shuffled=options.shuffled), seed, role)
    return _shuffled(options, seed, "held-out", _drawn(options, role, seed, "held-out")[1])


def raw(options: Options, role: Role, seed: int) -> tuple[Floats, Floats]:
    """Inputs as they are drawn, learned and scored ones: what is compared in the search for leaks."""
    scored = _grey(digits.PARTS[role]) if options.task == "digits" else _drawn(options, role, seed, "held-out")[0]
    return _learned(options, role, seed), scored


def _learned(options: Options, role: Role, seed: int) -> Floats:
    if options.task == "digits":
        return _grey(digits.POOL[_places(options, seed)])
    return _drawn(options, role, seed, "train")[0]


def _places(options: Options, seed: int) -> Ints:
    return digits.sample(seed, 0, options.rows)


def _grey(rows: Ints) -> Floats:
    grey: Floats = digits.images(rows) / BRIGHTEST
    return grey


@lru_cache(maxsize=32)
def _drawn(options: Options, role: Role, seed: int, name: str) -> tuple[Floats, Ints]:
    count = options.rows if name == "train" else options.held_out
    inputs, labels = labelled(GENERATORS[role], stream(seed, f"mnist1d/{role}/{name}"), count)
    if options.task == "mnist1d-permuted":
        inputs = inputs[:, stream(0, "mnist1d/permutation").permutation(inputs.shape[1])]
    return inputs, labels


def _shuffled(options: Options, seed: int, name: str, labels: Ints) -> Ints:
    """With the option `shuffled`, labels that have nothing to do with the inputs."""
    if not options.shuffled:
        return labels
    return stream(seed, f"mnist1d/{name}/shuffled").integers(CLASSES, size=labels.size)


def _standard(inputs: Floats, by: Floats) -> npt.NDArray[np.float32]:
    """Mean 0 and sd 1 over all numbers of `by` together."""
    out: npt.NDArray[np.float32] = ((inputs - by.mean()) / by.std()).astype(np.float32)
    return out

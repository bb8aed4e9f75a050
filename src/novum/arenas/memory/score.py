"""The trusted score: streams are made again from the trial's seed; a worker's guesses are all that it gives.

An artefact is the guesses as little-endian unsigned 16-bit numbers, cell after cell, (n, LANES) each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from novum.arenas.memory.options import Options
from novum.arenas.memory.streams import Cell, make
from novum.core.model.trial import ArtefactError, Role


def score(options: Options, role: Role, seed: int, artefact: bytes) -> dict[str, float]:
    """The area under recall of each regime. Raises ArtefactError."""
    cells = make(options, role, seed)
    total = sum(one.answers.size for one in cells)
    if not isinstance(artefact, bytes) or len(artefact) != 2 * total:
        raise ArtefactError(f"the artefact must be {total} guesses of two bytes each")
    said = np.frombuffer(artefact, "<u2").astype(np.int64)
    if (largest := int(said.max())) >= len(cells[0].codebook):
        raise ArtefactError(f"the artefact names value {largest}; the last one is {len(cells[0].codebook) - 1}")
    ends = np.cumsum([one.answers.size for one in cells])[:-1]
    return areas(cells, [part.reshape(-1, cells[0].answers.shape[1]) for part in np.split(said, ends)])


def areas(cells: Sequence[Cell], said: Iterable[NDArray[np.int64]]) -> dict[str, float]:
    """By regime, the mean over loads of the share of right guesses: the area under recall over n/d, per unit of n/d."""
    found: dict[str, list[float]] = {}
    for cell, guesses in zip(cells, said, strict=True):
        found.setdefault(cell.regime, []).append(float((guesses == cell.answers).mean()))
    return {regime: float(np.mean(shares)) for regime, shares in found.items()}


def total(options: Options, by_regime: dict[str, float]) -> float:
    """The worst regime, or the mean over regimes."""
    values = list(by_regime.values())
    return min(values) if options.score == "worst" else float(np.mean(values))

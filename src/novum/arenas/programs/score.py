"""The trusted score: the task is made again from the trial's seed; what a program said is all that a worker gives.

An artefact is what was said at the scored steps as little-endian doubles, (scored, width, LANES).
"""

from __future__ import annotations

import numpy as np

from novum.arenas.programs.options import Options
from novum.arenas.programs.tasks import SIGN, SQUARED, Floats, Task, make
from novum.core.model.metric import Score
from novum.core.model.trial import ArtefactError, Role

RISK = "risk over the Bayes risk"


def score(options: Options, role: Role, seed: int, artefact: bytes) -> Score:
    """Fitness in [0, 1], see `fitness`; and the risk over the Bayes risk, at least 1. Raises ArtefactError."""
    task = make(options, role, seed)
    if not isinstance(artefact, bytes) or len(artefact) != task.truth.size * 8:
        raise ArtefactError(f"the artefact must be {task.truth.size} doubles, what was said at each scored step")
    said = np.frombuffer(artefact, "<f8").reshape(task.truth.shape)
    if not np.isfinite(said).all():
        raise ArtefactError("what a program said must be finite")
    value = float(fitness(said, task.truth, task.kind).mean())
    return Score(value, {} if task.risks is None else {RISK: risk(said, task)})


def risk(said: Floats, task: Task) -> float:
    """Expected squared error of predictions over that of the Bayes predictor, means over steps and instances."""
    assert task.risks is not None
    return float(1 + ((said - task.truth) ** 2).mean() / task.risks.mean())


def fitness(said: Floats, truth: Floats, kind: int) -> Floats:
    """Of each lane: how well what was said agrees with the truth.

    Squared error: 1 - 2/pi atan(root mean square) (arXiv 2003.03384). Signs: the share of right ones. Direction:
    1 - d^2 / 2, d the distance to the axis or its opposite, at least 0 (of unit vectors the absolute cosine). What is
    not a number is as wrong as can be.
    """
    with np.errstate(all="ignore"):
        if kind == SQUARED:
            found = 1 - 2 / np.pi * np.arctan(np.sqrt(((said - truth) ** 2).mean((0, 1))))
        elif kind == SIGN:
            found = (said * truth > 0).mean((0, 1))
        else:
            apart = [((said - sign * truth) ** 2).sum((0, 1)) for sign in (-1, 1)]
            found = np.maximum(0.0, 1 - np.minimum(*apart) / 2)
    return np.where(np.isfinite(found), found, 0.0)

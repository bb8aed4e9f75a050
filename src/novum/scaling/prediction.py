"""What a fit says of a run that it has not seen, as an interval, and whether it was right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from novum.core.model.errors import StudyError
from novum.scaling.fit import Fit
from novum.scaling.interval import Interval
from novum.scaling.law import PowerLaw, ScalingLaw
from novum.scaling.places import Noise
from novum.scaling.solvers.likelihood import ends
from novum.scaling.solvers.precision import precision
from novum.scaling.solvers.quantiles import student_quantile


@dataclass(frozen=True, slots=True)
class LossPrediction:
    """What is expected at a place, (N, D) or (x,), for the mean of so many runs.

    mean: interval of the law's value. run: interval of what will be measured, the noise of the runs included. reach: by
    what factor the place lies beyond the largest of the fit, in N D or in x.
    """

    place: tuple[float, ...]
    repeats: int
    value: float
    mean: Interval
    run: Interval
    reach: float

    @property
    def sentence(self) -> str:
        """What may be said before the run."""
        where = " and ".join(f"{one:.4g}" for one in self.place)
        return (
            f"at {where} a value of {self.value:.4g} is expected, and {self.run.low:.4g} to {self.run.high:.4g} "
            f"in {100 * self.run.level:g} % of such cases"
        )


@dataclass(frozen=True, slots=True)
class PredictionVerdict:
    """What was measured: the error as a share of it, and whether it lies in the interval that was given before."""

    prediction: LossPrediction
    measured: float
    relative_error: float
    inside: bool

    @property
    def sentence(self) -> str:
        """What may be said after the run."""
        held, run = "inside" if self.inside else "outside", self.prediction.run
        said = f"predicted {self.prediction.value:.4g} ({100 * self.relative_error:+.2g} %)"
        return f"measured {self.measured:.4g}, {said}, {held} of {run.low:.4g} to {run.high:.4g}"


def predict(
    fit: Fit[ScalingLaw],
    parameters: float,
    tokens: float,
    *,
    repeats: int = 1,
    sd: float | None = None,
    level: float | None = None,
) -> LossPrediction:
    """The mean loss of `repeats` runs of N parameters on D tokens, at the level of the fit unless one is given.

    sd: of one run there, needed where the runs of the fit have an sd. Raises StudyError on bad arguments.
    """
    return _predict(fit, (parameters, tokens), repeats, sd, level)


def predict_value(
    fit: Fit[PowerLaw], x: float, *, repeats: int = 1, sd: float | None = None, level: float | None = None
) -> LossPrediction:
    """The mean value of `repeats` readings at x; otherwise as :func:`predict`."""
    return _predict(fit, (x,), repeats, sd, level)


def judge(prediction: LossPrediction, measured: float) -> PredictionVerdict:
    """A prediction held against the mean of the runs that it was for; measured > 0."""
    if not (math.isfinite(measured) and measured > 0):
        raise StudyError(f"measured = {measured}: give the measured value, above zero")
    error = (prediction.value - measured) / measured
    return PredictionVerdict(prediction, measured, error, measured in prediction.run)


def _predict(
    fit: Fit[Any], place: tuple[float, ...], repeats: int, sd: float | None, level: float | None
) -> LossPrediction:
    level = fit.level if level is None else level
    if not all(math.isfinite(one) and one > 0 for one in place) or repeats < 1 or not 0.5 <= level < 1:
        raise StudyError(f"cannot predict at {place} for {repeats} runs, level {level}: all have to be above zero")
    if (fit.places.sd is not None) != (sd is not None):
        raise StudyError("sd: give that of a run at the new place if the runs of the fit have one, and only then")
    functional = fit.places.at(place)
    known = precision(fit.rows, fit.solution, [functional])
    low, high = (float(end[0, 0]) for end in ends(fit.rows, fit.solution, [functional], known, level))
    value = float(known.value[0, 0])
    scale = sd if sd is not None else value if fit.noise is Noise.RELATIVE else 1.0
    noise = float(student_quantile((1 + level) / 2, fit.dof)) * scale * fit.run_noise.of_mean(repeats)
    run = Interval(max(0.0, value - math.hypot(value - low, noise)), value + math.hypot(high - value, noise), level)
    largest = max(math.prod(cell.place) for cell in fit.cells)
    return LossPrediction(place, repeats, value, Interval(low, high, level), run, math.prod(place) / largest)

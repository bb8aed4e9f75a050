"""The digits arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict

from novum.arenas.digits.data import CLASSES, PARTS
from novum.arenas.digits.options import Options
from novum.arenas.digits.space import SPACE
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options
from novum.core.model.trial import Role

BASELINE: Genome = SPACE.validate({"model": "logistic", "features": "pixels"})
WORST = "accuracy on the worst digit"
RESOLUTION = 1.0 / PARTS[Role.GATE].size


def transfers(options: Options) -> tuple[Transfer, ...]:
    """Twice the images, noisier images: those that the options allow."""
    found = (
        Transfer("learned from twice as many images", {"train": 2 * options.train}),
        Transfer("noisier images", {"noise": options.noise + 3.0}),
    )
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the digits arena")
    except StudyError:
        return False
    return True


SPEC = ArenaSpec(
    name="digits",
    question="Which small classifier reads handwritten digits best when it has seen few of them?",
    metric="accuracy on held-out digits",
    higher_is_better=True,
    resolution=RESOLUTION,
    program="novum.arenas.digits.trial",
    group_size=4,
    tuning=({"c": 0.1}, {"c": 1.0}, {"c": 10.0}),
    baseline=BASELINE,
    requires=("sklearn",),
    floor=1.0 / CLASSES,
    ceiling=1.0,
    bounds=(0.0, 1.0),
    fixed_data=True,
    transfers=transfers(Options()),
    metrics=(Metric(WORST, higher_is_better=True, resolution=CLASSES * RESOLUTION),),
    controls=Controls(
        known={"model": "svm", "augment": "shift"},
        null={"draw": 1},
        null_options={"shuffled": True},
    ),
    summary="Classifiers learn from a few of 720 handwritten digits of 8 x 8 pixels and are scored on others, the same "
    "ones for every seed. Candidates choose features, scaling, augmentation and a model.",
)

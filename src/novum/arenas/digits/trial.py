"""The worker's side: learn from a sample of the pool and hand over what is said of every scored image, unscored."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # type: ignore[import-untyped]
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression, RidgeClassifier  # type: ignore[import-untyped]
from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]
from sklearn.svm import SVC  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from novum.arenas.digits.cost import TREES
from novum.arenas.digits.data import POOL, SCORED, Ints, images, lesson, sample, stream
from novum.arenas.digits.features import Floats, copies, features, scaled
from novum.arenas.digits.options import Options
from novum.arenas.digits.space import GENES, SPACE, Design
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import Trial, TrialGroup, TrialOutput

BRIGHTEST = 16.0
ITERATIONS = 10_000


class Classifier(Protocol):
    """What scikit-learn's classifiers have in common."""

    def fit(self, rows: Floats, labels: Ints) -> Any:
        """Learn."""
        ...

    def predict(self, rows: Floats) -> Any:
        """A label for each row."""
        ...


def warm() -> None:
    """Import and run every model once, so that forked children start warm."""
    for model in GENES[0].choices:
        candidate = Candidate(SPACE.validate({"model": model}))
        run(TrialGroup("warm", candidate, (Trial("warm", 0, {"c": 1.0}),), {"train": 60}))


def run(group: TrialGroup) -> list[TrialOutput]:
    """One output per trial, in their order: a digit as one byte for each row of data.SCORED.

    `setting["c"]` is a trial's strength of fit; `fidelity` scales the number of images learned from.
    """
    options, design = Options.taken(group.options), Design.of(group.candidate.genome)
    count = options.rows(group.fidelity)
    with threadpool_limits(limits=1):
        return [_deliver(options, design, trial, count) for trial in group.trials]


def _deliver(options: Options, design: Design, trial: Trial, count: int) -> TrialOutput:
    places = sample(trial.seed, design.draw, count)
    seen = copies(design, _look(options, trial.seed, "learned", POOL[places]))
    learned, scored = scaled(
        design, features(design, seen), features(design, _look(options, trial.seed, "scored", SCORED))
    )
    labels = np.tile(lesson(options, trial.seed, places), design.copies)
    judge = _classifier(design, _strength(trial), trial.seed)
    with warnings.catch_warnings():
        # Of a class with one image the covariance is taken to be 0, and the pooled one is shrunken: as it should be.
        warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
        judge.fit(learned, labels)
    digits = np.asarray(judge.predict(scored)).astype(np.uint8)
    return TrialOutput(trial.id, artefact=digits.tobytes(), facts={"rows": float(len(labels))})


def _look(options: Options, seed: int, name: str, rows: Ints) -> Floats:
    """Images as the options show them, grey levels in [0, 1] unless there is noise, [rows, 64]."""
    grey = images(rows) / BRIGHTEST
    if options.noise:
        grey += stream(seed, f"noise/{name}").normal(scale=options.noise / BRIGHTEST, size=grey.shape)
    return grey


def _classifier(design: Design, c: float, seed: int) -> Classifier:
    """The model of a design. `c` is the strength of fit; centroid, neighbours and trees have no use for it."""
    found: Classifier
    if design.model == "logistic":
        found = LogisticRegression(C=c, max_iter=ITERATIONS)
    elif design.model == "ridge":
        found = RidgeClassifier(alpha=1 / c)
    elif design.model == "discriminant":
        found = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1 / (1 + 10 * c))
    elif design.model == "centroid":
        found = Centroid()
    elif design.model == "neighbours":
        found = KNeighborsClassifier(design.neighbours, algorithm="brute")
    elif design.model == "svm":
        found = Support(design.kernel, design.width, c)
    else:
        found = ExtraTreesClassifier(TREES, random_state=int(stream(seed, "trees").integers(2**31)))
    return found


class Centroid:
    """The class with the nearest mean. scikit-learn's own warns of pixels that are the same in a whole class."""

    def fit(self, rows: Floats, labels: Ints) -> None:
        """Learn the means of the classes there are."""
        self.labels = np.unique(labels)
        self.means = np.stack([rows[labels == label].mean(0) for label in self.labels])

    def predict(self, rows: Floats) -> Ints:
        """The label of the nearest mean; the smaller one of equals."""
        squares = (self.means**2).sum(1) - 2 * rows @ self.means.T
        found: Ints = self.labels[squares.argmin(1)]
        return found


class Support:
    """Support vectors with an inverse kernel width of factor / (features x variance), as "scale" without a factor."""

    def __init__(self, kernel: str, factor: float, c: float) -> None:
        self.kernel, self.factor, self.c = kernel, factor, c

    def fit(self, rows: Floats, labels: Ints) -> None:
        """Learn."""
        gamma = self.factor / (rows.shape[1] * max(float(rows.var()), 1e-12))
        self.inner = SVC(C=self.c, kernel=self.kernel, gamma=gamma, coef0=1.0).fit(rows, labels)

    def predict(self, rows: Floats) -> Ints:
        """A label for each row."""
        found: Ints = self.inner.predict(rows)
        return found


def _strength(trial: Trial) -> float:
    c = trial.setting.get("c")
    if isinstance(c, bool) or not isinstance(c, int | float) or not 0 < c < float("inf"):
        raise StudyError(f"trial {trial.id!r} of the digits arena needs a positive setting 'c', not {c!r}")
    return float(c)

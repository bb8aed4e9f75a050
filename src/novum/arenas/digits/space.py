"""The candidates of the digits arena: what is seen of an image, how it is scaled, what is added, who decides."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.candidate import Gene, Genome, Scalar, Space

GENES = (
    Gene(
        "model",
        ("logistic", "ridge", "discriminant", "centroid", "neighbours", "svm", "trees"),
        "logistic regression, least squares on one column per class, linear discriminant with a shrunken covariance, "
        "nearest class mean, nearest neighbours, support vectors (one against one), extremely randomised trees",
    ),
    Gene(
        "features",
        ("pixels", "blocks", "gradients", "both"),
        "grey levels, means of 2 x 2 pixels, gradients by direction in 2 x 2 pixels, pixels and gradients",
    ),
    Gene("scale", ("none", "standardise", "unit"), "of the features: nothing, mean 0 and sd 1, rows of length 1"),
    Gene("augment", ("none", "shift", "slant"), "copies to learn from: four moved by a pixel, or two slanted"),
    Gene("kernel", ("rbf", "linear", "poly"), "how support vectors compare (svm only)"),
    Gene("width", (1.0, 0.5, 2.0), "factor on the inverse width 1 / (features x variance) of the rbf kernel"),
    Gene("neighbours", (1, 3, 5), "how many vote (neighbours only)"),
    Gene("draw", (0, 1), "which of two equally good samples is learned from: changes nothing but luck"),
)

_FIRST: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in GENES}


def canonical(genome: Genome) -> Genome:
    """The normal form of a complete genome: genes without effect get their first choice.

    Trees split one feature at a time at a place drawn between its extremes, so standardising changes nothing.
    """
    out = dict(genome)
    if out["model"] != "svm":
        out["kernel"] = _FIRST["kernel"]
    if out["model"] != "svm" or out["kernel"] != "rbf":
        out["width"] = _FIRST["width"]
    if out["model"] != "neighbours":
        out["neighbours"] = _FIRST["neighbours"]
    if out["model"] == "trees" and out["scale"] == "standardise":
        out["scale"] = _FIRST["scale"]
    return out


SPACE = Space(GENES, canonical)


@dataclass(frozen=True, slots=True)
class Design:
    """A genome in normal form with typed fields; see GENES for what they mean."""

    model: str
    features: str
    scale: str
    augment: str
    kernel: str
    width: float
    neighbours: int
    draw: int

    @classmethod
    def of(cls, genome: Genome) -> Design:
        """The design of a possibly incomplete genome. Raises StudyError."""
        full = SPACE.validate(genome)
        words = {name: str(full[name]) for name in ("model", "features", "scale", "augment", "kernel")}
        return cls(**words, width=float(full["width"]), neighbours=int(full["neighbours"]), draw=int(full["draw"]))

    @property
    def copies(self) -> int:
        """Rows that a classifier learns from for each image, itself included."""
        return {"none": 1, "shift": 5, "slant": 3}[self.augment]

    @property
    def inputs(self) -> int:
        """Features of one image."""
        return {"pixels": 64, "blocks": 16, "gradients": 128, "both": 192}[self.features]

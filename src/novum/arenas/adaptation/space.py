"""The candidates: what is learned beforehand, and what is done with the examples of a new task."""

from __future__ import annotations

from dataclasses import dataclass, fields

from novum.arenas.adaptation.options import Options
from novum.core.model.candidate import Gene, Genome, Scalar, Space

GENES = (
    Gene(
        "inner",
        ("gradient", "delta", "ridge", "attention", "neighbours", "none"),
        "what the examples of a task do: steps of gradient descent on all of them, one delta-rule step for each in "
        "turn, ridge regression in closed form, attention to the nearest (Nadaraya-Watson), the mean of the three "
        "nearest, or nothing",
    ),
    Gene("adapts", ("all", "head"), "what gradient descent moves: all weights, or those of the last layer"),
    Gene("descent", (5, 1, 2, 10), "steps of gradient descent within a task"),
    Gene(
        "meta",
        ("joint", "unrolled", "first-order", "reptile", "none"),
        "what is learned beforehand: to predict all tasks at once; to predict after adapting, by the "
        "derivative through the adaptation, or as if that were constant; to lie near the adapted weights; nothing",
    ),
    Gene(
        "features", ("learned", "random", "raw"), "of two hidden layers, learned beforehand or as drawn, or the inputs"
    ),
    Gene("start", ("learned", "zero"), "the last layer's weights at the beginning of a task"),
    Gene("rates", ("fixed", "learned"), "step sizes and widths within a task: as tuned, or learned beforehand"),
    Gene("width", (32, 16, 64), "hidden units of each layer"),
    Gene("activation", ("relu", "tanh", "sine"), "of hidden units"),
)

_FIRST: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in GENES}
STEPWISE = ("first-order", "reptile")
"""Ways to learn beforehand that need steps to look at."""


def space(options: Options) -> Space:
    """The candidates that a study admits."""
    return Space(GENES, lambda genome: canonical(genome, text=options.text))


def canonical(genome: Genome, *, text: bool = False) -> Genome:
    """The normal form of a complete genome: contradictions settled, genes without effect at their first choice.

    Neighbours cannot be differentiated and keep no weights; attention keeps none. Who does nothing within a task can
    only learn to predict all at once. Reptile moves all weights and no step sizes. What is not learned is not there.
    In text, characters need features and a distribution: no inputs as they are, no ridge regression, and attention in
    the place of neighbours.
    """
    out = dict(genome)
    if text:
        out["features"] = "random" if out["features"] == "raw" else out["features"]
        out["inner"] = {"ridge": "delta", "neighbours": "attention"}.get(str(out["inner"]), out["inner"])
    keeps = text or out["inner"] not in ("attention", "neighbours")  # the weights of a head
    if out["inner"] == "none" and out["meta"] != "none":
        out["meta"] = "joint"
    if out["inner"] != "gradient" and out["meta"] in STEPWISE:
        out["meta"] = "unrolled"
    if out["inner"] == "neighbours" and out["meta"] == "unrolled":
        out["meta"] = "joint"
    if out["meta"] == "none" and out["features"] == "learned":
        out["features"] = "random"
    if out["meta"] == "reptile":
        out |= {"features": "learned", "start": "learned", "adapts": "all"}
    if out["meta"] == "joint" and out["features"] != "learned" and not keeps:
        out["meta"] = "none"
    if not keeps or out["meta"] == "none":
        out["start"] = "zero"
    elif out["meta"] == "joint" or out["inner"] == "none":
        out["start"] = "learned"
    if out["meta"] not in ("unrolled", "first-order"):
        out["rates"] = "fixed"
    if out["meta"] in ("unrolled", "first-order") and not _learns(out):
        out["meta"] = "none"
    if out["features"] == "raw":
        out["adapts"] = "head"
    return out | {name: _neutral(name, out) for name in _idle(out)}


def _learns(genome: Genome) -> bool:
    """Whether there is anything to learn beforehand."""
    return genome["features"] == "learned" or genome["start"] == "learned" or genome["rates"] == "learned"


def _neutral(name: str, genome: Genome) -> Scalar:
    """The value of a gene without effect."""
    return "head" if name == "adapts" and genome["inner"] != "gradient" else _FIRST[name]


def _idle(genome: Genome) -> set[str]:
    """Genes that change nothing."""
    idle: set[str] = set()
    if genome["inner"] != "gradient":
        idle |= {"adapts", "descent"}
    if genome["features"] == "raw":
        idle |= {"width", "activation"}
    return idle


@dataclass(frozen=True, slots=True)
class Design:
    """A genome in normal form with typed fields; see GENES for what they mean."""

    inner: str = "gradient"
    adapts: str = "all"
    descent: int = 5
    meta: str = "joint"
    features: str = "learned"
    start: str = "learned"
    rates: str = "fixed"
    width: int = 32
    activation: str = "relu"

    @classmethod
    def of(cls, genome: Genome) -> Design:
        """The design of a genome in normal form."""
        return cls(**{one.name: genome[one.name] for one in fields(cls)})  # type: ignore[arg-type]

    @property
    def deep(self) -> bool:
        """Whether there are hidden layers."""
        return self.features != "raw"

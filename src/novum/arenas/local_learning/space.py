"""The candidates: where the error signal of a layer comes from, how it gets there, and what is done with it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from novum.arenas.local_learning.options import Options
from novum.core.model.candidate import Gene, Genome, Scalar, Space

CARRIED = ("random", "direct", "transpose", "inverse")
"""Signals that begin with the error of the output."""

GENES = (
    Gene(
        "signal",
        (*CARRIED, "goodness", "perturbation", "hebbian"),
        "where a hidden layer's signal comes from: the error of the layer above through fixed random weights, that of "
        "the output through fixed random weights, that of the layer above through the transposed weights (only inside "
        "a relaxation, see `settling`), targets by learned inverses; the layer's own goodness, the effect of noise on "
        "the loss, or its own inputs alone",
    ),
    Gene(
        "feedback",
        ("fixed", "sign", "mirrored"),
        "random weights that carry errors: as drawn, with the signs of the forward weights, or learning by the forward "
        "weights' own updates, both with decay",
    ),
    Gene(
        "settling",
        ("none", "prediction", "hopfield"),
        "relaxation before weights change: none; activities under prediction errors (predictive coding); states under "
        "symmetric exchange, free and nudged (equilibrium propagation)",
    ),
    Gene("predictions", ("moving", "fixed"), "while errors settle: predictions follow the activities, or stay"),
    Gene("steps", (8, 4, 16, 32), "relaxation steps"),
    Gene("step_size", (0.2, 0.1, 0.5, 1.0), "of one relaxation step"),
    Gene("nudge", (1.0, 0.3, 0.1, 0.03), "weight of the output's error in a relaxation or target; sd of perturbations"),
    Gene("antithetic", (False, True), "both signs of the nudge or of every perturbation"),
    Gene("noise", ("nodes", "weights"), "what is perturbed: what goes into each unit, or weights"),
    Gene("draws", (4, 1, 16), "perturbations per step"),
    Gene("rank", (1, 2, 4, 0), "of a perturbation of a weight matrix; 0: full"),
    Gene("contrast", ("threshold", "pair"), "goodness of right and wrong labels against a threshold, or each other"),
    Gene("decorrelation", ("sanger", "oja"), "principal components in order, or their subspace"),
    Gene(
        "readout",
        ("last", "all", "own"),
        "softmax by the delta rule from the last hidden layer, from all of them (goodness, hebbian), or the rule's own:"
        " the class of largest goodness, output weights by perturbation",
    ),
    Gene("width", (64, 32, 128), "units of a hidden layer"),
    Gene("depth", (2, 1, 4), "hidden layers"),
    Gene("activation", ("relu", "tanh", "clip"), "of hidden units; clip: x + 1/2 held to [0, 1]"),
    Gene("normalise", ("none", "length"), "what a hidden layer hands on: as it is, or at root mean square 1"),
    Gene("update", ("momentum", "plain", "sign", "adam"), "what is made of the rule's direction"),
)

_FIRST: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in GENES}


def space(options: Options) -> Space:
    """The candidates that a study admits."""
    return Space(GENES, lambda genome: canonical(genome, backprop=options.backprop))


def canonical(genome: Genome, *, backprop: bool = False) -> Genome:
    """The normal form of a complete genome: genes without effect at their first choice.

    Transposed weights without a relaxation are backpropagation: unless that is admitted, the errors settle. States that
    exchange signals need bounded activations, are not normalised (their energy has no place for it) and send states
    down, for which there is no inverse. Below a single hidden layer there is nothing that inverses could tell it, and
    direct feedback is feedback.
    """
    out = dict(genome)
    if out["signal"] == "transpose" and out["settling"] == "none" and not backprop:
        out["settling"] = "prediction"
    if out["depth"] == 1 and out["signal"] in ("direct", "inverse"):
        out["signal"] = "random"
    if out["signal"] not in CARRIED:
        out["settling"] = "none"
    if out["settling"] == "hopfield":
        out["normalise"] = "none"
        out["activation"] = "clip" if out["activation"] == "relu" else out["activation"]
        out["signal"] = "transpose" if out["signal"] == "inverse" else out["signal"]
    if out["readout"] not in _readouts(out):
        out["readout"] = "last"
    return out | {name: _FIRST[name] for name in _idle(out)}


def _readouts(genome: Genome) -> tuple[str, ...]:
    if genome["signal"] == "goodness":
        return ("last", "all", "own")
    if genome["signal"] == "hebbian":
        return ("last",) if genome["depth"] == 1 else ("last", "all")
    return ("last", "own") if genome["signal"] == "perturbation" else ("last",)


def _idle(genome: Genome) -> set[str]:
    """Genes that change nothing."""
    signal, settling = genome["signal"], genome["settling"]
    idle: set[str] = set()
    if signal != "random":
        idle.add("feedback")
    if settling != "prediction":
        idle.add("predictions")
    if settling == "none":
        idle |= {"steps", "step_size"}
    if settling == "none" and signal != "perturbation":
        idle |= {"antithetic"} if signal == "inverse" else {"antithetic", "nudge"}
    if signal != "perturbation":
        idle |= {"noise", "draws", "rank"}
    elif genome["noise"] == "nodes":
        idle.add("rank")
    if signal != "goodness":
        idle.add("contrast")
    if signal != "hebbian":
        idle.add("decorrelation")
    return idle


@dataclass(frozen=True, slots=True)
class Design:
    """A genome in normal form with typed fields; see GENES for what they mean. Widths and depths may be any."""

    signal: str = "random"
    feedback: str = "fixed"
    settling: str = "none"
    predictions: str = "moving"
    steps: int = 8
    step_size: float = 0.2
    nudge: float = 1.0
    antithetic: bool = False
    noise: str = "nodes"
    draws: int = 4
    rank: int = 1
    contrast: str = "threshold"
    decorrelation: str = "sanger"
    readout: str = "last"
    width: int = 64
    depth: int = 2
    activation: str = "relu"
    normalise: str = "none"
    update: str = "momentum"

    @classmethod
    def of(cls, genome: Genome) -> Design:
        """The design of a genome in normal form."""
        return cls(**{one.name: genome[one.name] for one in fields(cls)})  # type: ignore[arg-type]

    @property
    def labelled(self) -> bool:
        """Whether the label is a part of the input."""
        return self.signal == "goodness"

    @property
    def layers_read(self) -> int:
        """Hidden layers that the readout sees."""
        return self.depth if self.readout == "all" else 1

"""The candidates: which mixer stands in which place, the parts of one that has no name, and what is around them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from novum.arenas.sequence.options import Options
from novum.core.model.candidate import Gene, Genome, Scalar, Space
from novum.core.model.errors import StudyError
from novum.population.mixers.matrix_state import MatrixState
from novum.population.mixers.mixer_core import Core
from novum.population.mixers.named import NAMED
from novum.population.stack import Layer, Stack

OWN = "own"
"""The mixer that the other genes describe."""
EMPTY = "empty"

PARTS = (
    Gene("feature", ("identity", "elu1", "silu", "relu", "taylor2"), "map applied to q and k"),
    Gene("unit_keys", (False, True), "q and k brought to unit length"),
    Gene("write", ("hebb", "delta", "longhorn", "preconditioned", "separate"), "how a token changes the state"),
    Gene("decay", ("none", "constant", "scalar", "vector"), "forgetting per step: learned, or from the token"),
    Gene("beta", (1, 2), "upper end of the range of the write strength (writes that correct)"),
    Gene("writes", (1, 2), "updates of the state per token"),
    Gene("rotating", (False, True), "q and k turned by an angle that the tokens add up"),
    Gene("normalised", (False, True), "output divided by the sum of weights"),
)
"""Genes of the mixer without a name; their equations: `MatrixState`."""

AROUND = (
    Gene("taps", (0, 2, 4), "length of the causal convolution (with SiLU) on q, k and v; 0: none"),
    Gene("gate", (False, True), "output multiplied by SiLU of a projection of the token"),
    Gene("heads", (1, 2, 4), "independent states; values are shared out among them"),
    Gene("d_key", (8, 16, 32), "length of a key per head"),
    Gene("channel", ("none", "mlp", "swiglu"), "what mixes the channels of a token after each mixer"),
    Gene("residual", ("plain", "attention"), "sum of all earlier layers, or attention over them"),
    Gene("loops", (1, 2), "how often the layers run, with shared weights"),
)

NEEDED = frozenset({"unit_keys", "taps", "d_key"})
"""Genes that writes that correct, or the arena's baseline, have at another choice than the first."""

_FIRST: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in (*PARTS, *AROUND)}


def places(options: Options) -> tuple[str, ...]:
    """The genes that say which mixer stands where."""
    return tuple(f"layer_{index + 1}" for index in range(options.layers))


def mixer_names(options: Options) -> tuple[str, ...]:
    """What can stand in a place."""
    return (OWN,) if options.blind else (OWN, *NAMED)


@dataclass(frozen=True)
class StackSpace(Space):
    """Genomes of stacks. A mutation may also swap two layers, copy one over another, or move them all."""

    order: tuple[str, ...] = ()

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """One gene changed, or the layers rearranged; in normal form."""
        if len(self.order) > 1 and rng.random() < 0.25:
            start = self.validate(genome)
            for _ in range(10):
                if (child := self.validate({**start, **self._rearranged(start, rng)})) != start:
                    return child
        return super().mutate(genome, rng)

    def _rearranged(self, genome: Genome, rng: random.Random) -> Genome:
        """Other layers; none for a stack that would have no layer left."""
        names = [genome[place] for place in self.order]
        one, other = rng.sample(range(len(names)), 2)
        kind = rng.choice(("swap", "copy", "rotate"))
        if kind == "swap":
            names[one], names[other] = names[other], names[one]
        elif kind == "copy":
            names[one] = names[other]
        else:
            names = names[1:] + names[:1]
        found = packed(names)
        return dict(zip(self.order, found, strict=True)) if found[0] != EMPTY else {}

    def cross(self, one: Genome, other: Genome, rng: random.Random) -> Genome:
        """A child of two: the layers of both cut at one place, every other gene from either; in normal form."""
        cut = rng.randint(0, len(self.order))
        taken = [(one if at < cut else other)[name] for at, name in enumerate(self.order)]
        if set(taken) == {EMPTY}:
            taken = [one[name] for name in self.order]
        layers = dict(zip(self.order, packed(taken), strict=True))
        rest = {gene.name: rng.choice((one, other))[gene.name] for gene in self.genes if gene.name not in layers}
        return self.validate({**rest, **layers})


def space(options: Options) -> StackSpace:
    """The candidates that a study admits."""
    order, names = places(options), mixer_names(options)
    first = Gene(order[0], names, "the mixer of this layer: a published one by name, or the one of the genes below")
    later = tuple(Gene(name, (*names, EMPTY), "the same for this layer, which may be empty") for name in order[1:])
    rest = _restricted((*PARTS, *AROUND), options.without)
    return StackSpace((first, *later, *rest), lambda genome: canonical(genome, order, options.equal), order)


def _restricted(genes: tuple[Gene, ...], without: str) -> tuple[Gene, ...]:
    """The same genes, those named in `without` with their first choice alone. Raises StudyError."""
    names = {name for part in without.split(",") if (name := part.strip())}
    allowed = [gene.name for gene in genes if gene.name not in NEEDED]
    if wrong := sorted(names - set(allowed)):
        raise StudyError(f"options.without: {wrong[0]!r} cannot be left out: choose from {', '.join(allowed)}")
    return tuple(Gene(one.name, one.choices[:1], one.doc) if one.name in names else one for one in genes)


def packed(layers: Sequence[Scalar]) -> list[Scalar]:
    """The same layers with the empty ones last."""
    filled = [name for name in layers if name != EMPTY]
    return filled + [EMPTY] * (len(layers) - len(filled))


def canonical(genome: Genome, order: tuple[str, ...], equal: str = "nothing") -> Genome:
    """The normal form of a complete genome: empty layers last, genes without effect at their first choice.

    Writes that correct need unit keys: the transition I - b k k^T has the eigenvalue 1 - b |k|^2, so any b in (0, 2) is
    a contraction only when |k| = 1. A single layer that reads the embedding has nothing to attend over. With equal
    state, the length of keys follows from that.
    """
    out = dict(genome)
    filled = [out[name] for name in order if out[name] != EMPTY]
    out |= dict(zip(order, packed([out[name] for name in order]), strict=True))
    idle: set[str] = set()
    if OWN not in filled:
        idle |= {gene.name for gene in PARTS}
    elif out["write"] == "hebb":
        idle |= {"beta", "writes"}
    else:
        out["unit_keys"] = True
        idle.add("normalised")
        if out["write"] == "longhorn":
            idle.add("beta")
        if out["feature"] == "taylor2":
            out["feature"] = "identity"
    if not any(core_of(name, out, 16).convolved for name in filled):
        idle.add("taps")
    if all(core_of(name, {**out, "heads": 1}, 16, 8) == core_of(name, {**out, "heads": 2}, 16, 16) for name in filled):
        idle |= {"heads", "d_key"}
    if equal == "state":
        idle.add("d_key")
    if len(filled) * int(out["loops"]) == 1 and out["channel"] == "none":
        idle.add("residual")
    return out | {name: _FIRST[name] for name in idle}


def core_of(name: Scalar, genome: Genome, width: int, d_key: int = 0) -> Core:
    """The core in one place. `d_key` replaces the genome's when it is given."""
    heads, key = int(genome["heads"]), d_key or int(genome["d_key"])
    if name != OWN:
        return NAMED[str(name)].make(heads, key, width)
    return MatrixState(
        heads,
        key,
        width,
        feature=genome["feature"],  # type: ignore[arg-type]  # the gene's choices are the field's
        unit_keys=bool(genome["unit_keys"]),
        write=genome["write"],  # type: ignore[arg-type]
        decay=genome["decay"],  # type: ignore[arg-type]
        beta=int(genome["beta"]),
        steps=int(genome["writes"]),
        rotating=bool(genome["rotating"]),
        normalised=bool(genome["normalised"]),
    )


@dataclass(frozen=True, slots=True)
class Size:
    """What the study gives a candidate, or fairness: width of the stream, and length of keys (0: the genome's)."""

    width: int
    d_key: int = 0


def stack_of(genome: Genome, options: Options, size: Size, vocabulary: int, outputs: int, slots: int) -> Stack:
    """The stack of a genome in normal form."""
    filled = [genome[name] for name in places(options) if genome[name] != EMPTY]
    taps, gate = int(genome["taps"]), bool(genome["gate"])
    layers = tuple(Layer(core_of(name, genome, size.width, size.d_key), taps, gate) for name in filled)
    return Stack(
        vocabulary,
        outputs,
        size.width,
        layers,
        channel=genome["channel"],  # type: ignore[arg-type]  # the gene's choices are the field's
        residual=genome["residual"],  # type: ignore[arg-type]
        loops=int(genome["loops"]),
        slots=slots,
    )

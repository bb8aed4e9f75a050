"""The candidates of the recall arena: token mixers put together from published parts.

Sources of the parts: linear attention (Katharopoulos et al., arXiv 2006.16236), the delta rule (Schlag et al.,
2102.11174; Yang et al., 2406.06484), decay (RetNet 2307.08621, Mamba-2 2405.21060, GLA 2312.06635), gated delta rule
(2412.06464), the range (0, 2) of beta (Grazzi et al., 2411.12537), rotary positions (2104.09864).
"""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.candidate import Gene, Genome, Scalar, Space

GENES = (
    Gene("mixer", ("linear", "attention"), "recurrent matrix state, or softmax over all earlier tokens"),
    Gene("conv", (0, 2, 4), "taps of the causal depthwise convolution (with SiLU) on q, k and v; 0: none"),
    Gene("feature", ("identity", "elu1", "silu", "relu"), "map applied to q and k (linear only)"),
    Gene("qk_norm", ("none", "l2"), "q and k brought to unit length; attention then learns a temperature per head"),
    Gene("write", ("hebb", "delta"), "add v k^T, or correct the stored value by beta (v - S k) k^T (linear only)"),
    Gene(
        "decay",
        ("none", "constant", "scalar", "vector"),
        "forgetting per step: a learned constant per head, "
        "one number per head from the token, one number per key channel from the token (linear only)",
    ),
    Gene("beta", (1, 2), "upper end of the range of the write strength (delta only)"),
    Gene("gate", (False, True), "output multiplied by SiLU of a projection of the token"),
    Gene("positions", ("none", "rotary"), "positions on q and k (attention only)"),
    Gene("heads", (1, 2, 4), "independent states; values are shared out among them"),
    Gene("d_key", (8, 16, 32), "length of a key per head; the state has d_key x width floats a layer"),
)

_FIRST: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in GENES}


def canonical(genome: Genome) -> Genome:
    """The normal form of a complete genome: genes without effect get their first choice.

    Attention has no feature map, write rule, decay or beta; the linear family has no positions (decay and convolution
    carry order); hebb has no beta. The delta rule always has unit keys: its transition I - beta k k^T has the
    eigenvalue 1 - beta |k|^2, so any beta in (0, 2) is a contraction only when |k| = 1.
    """
    out = dict(genome)
    if out["mixer"] == "attention":
        idle: tuple[str, ...] = ("feature", "write", "decay", "beta")
    else:
        idle = ("positions",) if out["write"] == "delta" else ("positions", "beta")
        if out["write"] == "delta":
            out["qk_norm"] = "l2"
    return out | {name: _FIRST[name] for name in idle}


SPACE = Space(GENES, canonical)


@dataclass(frozen=True, slots=True)
class Design:
    """A genome in normal form with typed fields; see GENES for what they mean."""

    mixer: str
    conv: int
    feature: str
    qk_norm: str
    write: str
    decay: str
    beta: int
    gate: bool
    positions: str
    heads: int
    d_key: int

    @classmethod
    def of(cls, genome: Genome) -> Design:
        """The design of a possibly incomplete genome. Raises StudyError."""
        full = SPACE.validate(genome)
        words = {name: str(full[name]) for name in ("mixer", "feature", "qk_norm", "write", "decay", "positions")}
        numbers = {name: int(full[name]) for name in ("conv", "beta", "heads", "d_key")}
        return cls(**words, **numbers, gate=bool(full["gate"]))  # type: ignore[arg-type]  # names above match the fields

    @property
    def delta(self) -> bool:
        """Whether the state is written by the delta rule."""
        return self.write == "delta"

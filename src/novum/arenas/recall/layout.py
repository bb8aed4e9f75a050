"""Names and shapes of the parameters of one member: one list for the model, its initialisation and its cost."""

from __future__ import annotations

from novum.arenas.recall.options import Options
from novum.arenas.recall.space import Design

CHUNK = 64
"""Tokens of a chunk of the recurrent mixers; see `mixers` for why it is bounded."""

EVAL_BATCHES = 4
"""Training batches that are predicted at once."""

Shapes = dict[str, tuple[int, ...]]


def decay_width(design: Design) -> int:
    """Numbers a token emits for its decay in one layer."""
    return {"vector": design.heads * design.d_key, "scalar": design.heads}.get(design.decay, 0)


def channels(design: Design, options: Options) -> dict[str, int]:
    """Widths of the parts of a layer's fused input projection, in their order: q, k, v, then what the design adds."""
    inner = design.heads * design.d_key
    parts = {"q": inner, "k": inner, "v": options.width}
    parts |= {"gate": options.width} if design.gate else {}
    parts |= {"decay": decay_width(design)} if decay_width(design) else {}
    return parts | ({"beta": design.heads} if design.delta else {})


def shapes(design: Design, options: Options) -> Shapes:
    """Parameter shapes by name. Names are stable across designs, so equal names mean equal initial values."""
    width = options.width
    out: Shapes = {"embed": (options.vocabulary, width)}
    for layer in range(options.layers):
        parts = channels(design, options)
        own: Shapes = {"norm": (width,)} | {name: (width, size) for name, size in parts.items()}
        if design.conv:
            own |= {f"conv_{name}": (design.conv, parts[name]) for name in ("q", "k", "v")}
        if design.decay != "none":
            own["decay_bias"] = (decay_width(design) or design.heads,)
        if design.mixer == "linear":
            own["out_norm"] = (width,)
        elif design.qk_norm == "l2":
            own["temperature"] = (design.heads,)
        own["out"] = (width, width)
        out |= {f"{layer}.{name}": shape for name, shape in own.items()}
    return out | {"norm": (width,), "head": (width, options.vocabulary)}

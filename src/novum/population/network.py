"""A population of networks of one stack: logits and losses over sequences, and one token at a time.

Sizes: P members, B sequences, T tokens, Q labelled tokens, V vocabulary, D width, C channels of a layer's projection,
n parameters. The parameters of a population are a leaf [P, n] that the caller owns.
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F  # noqa: N812 -- the name everybody uses
from torch import Tensor

from novum.population.forms.form_registry import form_of
from novum.population.forms.softmax_form import SoftmaxForm
from novum.population.forms.tensors import Form, Parts, Rows, State, pick_tokens, project, rms
from novum.population.short_convolution import short_convolution
from novum.population.stack import Layer, Stack

States = list[tuple[Tensor | None, State]]
"""Of each layer and pass: the last inputs of its convolution, and the state of its core."""

Watch = Callable[[str, Tensor], None]
"""What is shown the tensors that instruments measure, by name."""


@dataclass(frozen=True)
class Network:
    """The functions of one stack. `traced`: in operations that a compiler reads well, some slower without one."""

    stack: Stack
    traced: bool = False

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """What computes the core of each layer."""
        return tuple(form_of(layer.core) for layer in self.stack.layers)

    def take_apart(self, leaf_Pxn: Tensor) -> dict[str, Tensor]:
        """Views [P, ...] of the leaf by name; one split, hence one backward node for all parameters."""
        named = self.stack.layout.parameters
        pieces = torch.split(leaf_Pxn, [one.size for one in named.values()], dim=1)
        return {name: torch.unflatten(x, 1, one.shape) for (name, one), x in zip(named.items(), pieces, strict=True)}

    def losses(self, leaf_Pxn: Tensor, tokens_PxBxT: Tensor, positions: Tensor, answers_PxBxQ: Tensor) -> Tensor:
        """Mean cross-entropy in nats at the labelled positions, [P]."""
        logits_PxRxV = self.logits(leaf_Pxn, tokens_PxBxT, positions).flatten(1, 2)
        chosen_PxR = logits_PxRxV.gather(2, answers_PxBxQ.flatten(1)[..., None])[..., 0]
        return (logits_PxRxV.logsumexp(-1) - chosen_PxR).mean(1)

    def logits(
        self, leaf_Pxn: Tensor, tokens_PxBxT: Tensor, positions_PxBxQ: Tensor, watch: Watch | None = None
    ) -> Tensor:
        """Logits [P, B, Q, outputs] at the labelled positions.

        What is a function of the token alone (the first layer's norm and projection) is computed once per word of the
        vocabulary and looked up; the last layer's output is computed at the labelled positions only.
        """
        w, stack = self.take_apart(leaf_Pxn), self.stack
        rows: Rows = positions_PxBxQ if positions_PxBxQ.shape[2] < tokens_PxBxT.shape[2] else None
        if stack.slots:
            rows = positions_PxBxQ[:, :, :1]
        last = stack.loops * len(stack.layers) - 1
        stream = _Stream(stack, w, look_up(w["embed"], tokens_PxBxT))
        for place in range(last + 1):
            index = place % len(stack.layers)
            own = _below(w, f"{index}.")
            if place:
                c_PxBxTxC = project(rms(stream.read()) * own["norm"][:, None, None], own["in"])
            else:
                words_PxVxC = torch.bmm(rms(w["embed"]) * own["norm"][:, None], own["in"])
                c_PxBxTxC = look_up(words_PxVxC, tokens_PxBxT)
                stream.passed()
            wanted = rows if place == last else None
            out = self._mixed(own, index, c_PxBxTxC, wanted)
            if watch:
                self._show(watch, place, own, c_PxBxTxC)
                watch(f"{place}.mixer", out)
            stream.narrow(wanted)
            stream.add(out)
            if stack.channel != "none":
                stream.add(self._channels(own, stream.read()))
        x = self._decoded(w, stream.total()) if stack.slots else stream.total()
        if watch:
            watch("stream", x)
        return project(rms(x) * w["norm"][:, None, None], w["head"])

    def _mixed(self, own: Parts, index: int, c_PxBxTxC: Tensor, rows: Rows) -> Tensor:
        """A layer's contribution to the residual stream, [P, B, Q or T, D]."""
        layer, form = self.stack.layers[index], self.forms[index]
        parts = self._parts(layer, c_PxBxTxC, own.get("taps"))
        o_PxBxQxD = form.mix(_below(own, "core."), parts, rows)
        gate = pick_tokens(parts["gate"], rows) if layer.gate else None
        return project(_finished(layer, own, o_PxBxQxD, gate), own["out"])

    def _show(self, watch: Watch, place: int, own: Parts, c_PxBxTxC: Tensor) -> None:
        """The inputs of a layer's gates before their sigmoid, and the entropy of its attention."""
        index = place % len(self.stack.layers)
        layer, form = self.stack.layers[index], self.forms[index]
        parts = self._parts(layer, c_PxBxTxC, own.get("taps"))
        core = _below(own, "core.")
        for name, x in parts.items():
            if name not in layer.core.convolved and name != "angle":
                bias = core.get(f"{name}_bias")
                watch(f"{place}.{name}", x if bias is None else x + bias[:, None, None])
        if isinstance(form, SoftmaxForm):
            weights_NxTxT = form.weights(core, parts, None)
            entropy = torch.special.entr(weights_NxTxT).sum(-1)
            watch(f"{place}.entropy", torch.unflatten(entropy, 0, (c_PxBxTxC.shape[0], -1)))

    def _parts(self, layer: Layer, c_PxBxTxC: Tensor, taps: Tensor | None) -> Parts:
        """The inputs of a layer by name, the first ones after their convolution."""
        if taps is None:
            return _split(layer, c_PxBxTxC)
        size = layer.convolved
        mixed = F.silu(short_convolution(c_PxBxTxC[..., :size], taps, traced=self.traced))
        rest = c_PxBxTxC[..., size:]
        if not rest.shape[3]:
            return _split(layer, mixed)
        taken = layer.taken
        first = [width for name, width in taken.items() if name in layer.core.convolved]
        others = [width for name, width in taken.items() if name not in layer.core.convolved]
        return dict(zip(taken, [*torch.split(mixed, first, 3), *torch.split(rest, others, 3)], strict=True))

    def _channels(self, own: Parts, x: Tensor) -> Tensor:
        up = project(rms(x) * own["channel_norm"][:, None, None], own["up"])
        if self.stack.channel == "swiglu":
            a, b = up.chunk(2, -1)
            return project(F.silu(a) * b, own["down"])
        return project(F.gelu(up), own["down"])

    def _decoded(self, w: Parts, x_PxBx1xD: Tensor) -> Tensor:
        """[P, B, slots, D]: what the last token says of each answer, by a small network of its state and a slot."""
        batch, width = x_PxBx1xD.shape[1], x_PxBx1xD.shape[3]
        slots = w["slots"][:, None].expand(-1, batch, -1, -1)
        both = torch.cat([rms(x_PxBx1xD).expand(-1, -1, self.stack.slots, width), slots], -1)
        return project(F.gelu(project(both, w["decode_in"])), w["decode_out"])

    def start(self, members: int, batch: int, like: Tensor) -> States:
        """The state of each layer (and pass) before the first token: of the convolution, and of the core."""
        out: States = []
        for place in range(self.stack.loops * len(self.stack.layers)):
            index = place % len(self.stack.layers)
            layer = self.stack.layers[index]
            past = like.new_zeros(members, batch, layer.taps - 1, layer.convolved) if layer.convolved else None
            out.append((past, self.forms[index].start(members, batch, like)))
        return out

    def read(self, w: Parts, tokens_PxBxT: Tensor) -> States:
        """The state after the tokens, read one by one."""
        state = self.start(tokens_PxBxT.shape[0], tokens_PxBxT.shape[1], w["embed"])
        for tokens_PxB in tokens_PxBxT.unbind(2):
            _, state = self.step(w, tokens_PxB, state)
        return state

    def step(self, w: Parts, tokens_PxB: Tensor, state: States) -> tuple[Tensor, States]:
        """Logits [P, B, outputs] after one more token, and the state to go on from; not for stacks with slots."""
        stack = self.stack
        stream = _Stream(stack, w, look_up(w["embed"], tokens_PxB[..., None]))
        kept: States = []
        for place, (past, before) in enumerate(state):
            index = place % len(stack.layers)
            layer, own = stack.layers[index], _below(w, f"{index}.")
            c_PxBx1xC = project(rms(stream.read()) * own["norm"][:, None, None], own["in"])
            if past is not None and layer.convolved:
                seen = torch.cat([past, c_PxBx1xC[:, :, :, : layer.convolved]], 2)
                mixed = F.silu((seen * own["taps"].flip(1)[:, None]).sum(2, keepdim=True))
                c_PxBx1xC = torch.cat([mixed, c_PxBx1xC[..., layer.convolved :]], 3)
                past = seen[:, :, 1:]
            parts = _split(layer, c_PxBx1xC)
            token = {name: x[:, :, 0] for name, x in parts.items()}
            o_PxBxD, after = self.forms[index].step(_below(own, "core."), token, before)
            stream.add(project(_finished(layer, own, o_PxBxD[:, :, None], parts.get("gate")), own["out"]))
            if stack.channel != "none":
                stream.add(self._channels(own, stream.read()))
            kept.append((past, after))
        return project(rms(stream.total()) * w["norm"][:, None, None], w["head"])[:, :, 0], kept


class _Stream:
    """The residual stream: a running sum, or all contributions with attention over them (arXiv 2603.15031)."""

    def __init__(self, stack: Stack, w: Parts, first: Tensor) -> None:
        self.queries = w["queries"] if stack.residual == "attention" else None
        self.outs, self.block = [first], 0

    def read(self) -> Tensor:
        """What the next block reads."""
        if self.queries is None:
            return self.outs[0]
        query_PxD = self.queries[:, self.block]
        self.block += 1
        if len(self.outs) == 1:
            return self.outs[0]
        x_PxBxTxSxD = torch.stack(self.outs, 3)
        score = (rms(x_PxBxTxSxD) * query_PxD[:, None, None, None]).sum(-1)
        return (score.softmax(-1)[..., None] * x_PxBxTxSxD).sum(3)

    def passed(self) -> None:
        """A block that read the embedding by itself."""
        self.block += 1

    def add(self, out: Tensor) -> None:
        """A block's contribution."""
        if self.queries is None:
            self.outs[0] = self.outs[0] + out
        else:
            self.outs.append(out)

    def narrow(self, rows: Rows) -> None:
        """From now on, only the wanted tokens."""
        if rows is not None:
            self.outs = [pick_tokens(x, rows) for x in self.outs]

    def total(self) -> Tensor:
        """The sum of everything, which the head reads."""
        return self.outs[0] if len(self.outs) == 1 else torch.stack(self.outs).sum(0)


def look_up(table_PxVxC: Tensor, ids_PxBxT: Tensor) -> Tensor:
    """Rows of each member's own table, [P, B, T, C]."""
    members, words, _ = table_PxVxC.shape
    shifted = ids_PxBxT + torch.arange(members, device=ids_PxBxT.device)[:, None, None] * words
    return F.embedding(shifted, table_PxVxC.flatten(0, 1))


def state_size(state: States) -> int:
    """Floats of a state; single numbers, such as the place of a token, do not count."""
    kept = [x for past, core in state for x in (*([] if past is None else [past]), *core)]
    return sum(x.numel() for x in kept if x.ndim)


def _below(w: Parts, prefix: str) -> Parts:
    """The parameters whose names begin so, without that."""
    return {name.removeprefix(prefix): x for name, x in w.items() if name.startswith(prefix)}


def _split(layer: Layer, c_PxBxTxC: Tensor) -> Parts:
    taken = layer.taken
    return dict(zip(taken, torch.split(c_PxBxTxC, list(taken.values()), dim=3), strict=True))


def _finished(layer: Layer, own: Parts, o: Tensor, gate: Tensor | None) -> Tensor:
    """Unit RMS per head, gain and gate."""
    if layer.core.unit_output:
        heads = layer.core.heads
        o = rms(torch.unflatten(o, -1, (heads, -1))).flatten(-2) if heads > 1 else rms(o)
        o = o * own["out_norm"][:, None, None]
    return o if gate is None else o * F.silu(gate)

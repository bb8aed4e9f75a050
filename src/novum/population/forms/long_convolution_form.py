"""A gated convolution with an implicit filter: one product with a Toeplitz matrix in training, all lags at a token."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 -- the name everybody uses
from torch import Tensor

from novum.population.forms.tensors import Parts, Rows, State, pick_tokens
from novum.population.mixers.long_convolution import LongConvolution

LONGEST = 512
"""The lag that the sines of the filter are scaled by."""


@dataclass(frozen=True, slots=True)
class LongConvolutionForm:
    """See :class:`LongConvolution` for the equations."""

    core: LongConvolution

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        length = parts["q"].shape[2]
        filter_PxTxD = self._filter(own, length)
        x = parts["k"] * parts["v"]
        size = 2 * length
        spectrum = torch.fft.rfft(x, n=size, dim=2) * torch.fft.rfft(filter_PxTxD, n=size, dim=1)[:, None]
        y = torch.fft.irfft(spectrum, n=size, dim=2)[:, :, :length] + x * own["skip"][:, None, None]
        return pick_tokens(y, rows) * pick_tokens(parts["q"], rows)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        return (like.new_zeros(members, batch, 0, self.core.width),)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        x = parts["k"] * parts["v"]
        past = torch.cat([state[0], x[:, :, None]], 2)
        filter_PxTxD = self._filter(own, past.shape[2]).flip(1)
        y = (past * filter_PxTxD[:, None]).sum(2) + x * own["skip"][:, None]
        return y * parts["q"], (past,)

    def _filter(self, own: Parts, length: int) -> Tensor:
        """The filter at lags 0..length-1, [P, T, D]."""
        lag_T = torch.arange(length, device=own["skip"].device)
        angle = lag_T[:, None] * (2 * math.pi / LONGEST * 2.0 ** torch.arange(4, device=lag_T.device))
        features_Tx9 = torch.cat([torch.ones_like(angle[:, :1]), angle.sin(), angle.cos()], 1)
        inner = torch.matmul(features_Tx9, own["filter_in"]).sin()
        window = (-lag_T[:, None] * F.softplus(own["filter_decay"])[:, None]).exp()
        return torch.bmm(inner, own["filter_out"]) * window

"""The recurrences written down literally, one token at a time: slow, and the oracle for `mixers`.

Sizes: N independent sequences, T tokens, K key channels, E value channels. The state S is [N, E, K].
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

import torch
from torch import Tensor


def recurrent(
    q_NxTxK: Tensor, k_NxTxK: Tensor, v_NxTxE: Tensor, log_decay: Tensor | None, beta_NxTx1: Tensor | None
) -> Tensor:
    """o_t = S_t q_t as [N, T, E], with S_0 = 0 and `log_decay` = log a of shape [N, T, 1] or [N, T, K].

    S_t = S_{t-1} diag(a_t) (I - b_t k_t k_t^T) + b_t v_t k_t^T    with beta (gated delta rule, arXiv 2412.06464)
    S_t = S_{t-1} diag(a_t) + v_t k_t^T                            without (gated linear attention, 2312.06635)
    """
    count, length, width = q_NxTxK.shape
    state_NxExK = q_NxTxK.new_zeros(count, v_NxTxE.shape[2], width)
    identity_KxK = torch.eye(width, dtype=q_NxTxK.dtype)
    out = []
    for t in range(length):
        k_Nx1xK, v_NxEx1 = k_NxTxK[:, t, None, :], v_NxTxE[:, t, :, None]
        if log_decay is not None:
            state_NxExK = state_NxExK * log_decay[:, t, None, :].exp()
        if beta_NxTx1 is None:
            state_NxExK = state_NxExK + v_NxEx1 * k_Nx1xK
        else:
            b_Nx1x1 = beta_NxTx1[:, t, None]
            erase_NxKxK = identity_KxK - b_Nx1x1 * k_Nx1xK.transpose(1, 2) * k_Nx1xK
            state_NxExK = state_NxExK @ erase_NxKxK + b_Nx1x1 * v_NxEx1 * k_Nx1xK
        out.append((state_NxExK @ q_NxTxK[:, t, :, None])[..., 0])
    return torch.stack(out, dim=1)


def attention(q_NxTxK: Tensor, k_NxTxK: Tensor, v_NxTxE: Tensor) -> Tensor:
    """o_t = sum_{i <= t} softmax_i(q_t . k_i) v_i as [N, T, E] (arXiv 1706.03762); scaling is the caller's."""
    out = []
    for t in range(q_NxTxK.shape[1]):
        score_Nx1xt = q_NxTxK[:, t : t + 1] @ k_NxTxK[:, : t + 1].transpose(1, 2)
        out.append(score_Nx1xt.softmax(-1) @ v_NxTxE[:, : t + 1])
    return torch.cat(out, dim=1)

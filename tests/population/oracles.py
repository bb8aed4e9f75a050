"""The recurrences of the papers, written down literally for one sequence and one head, in double precision.

Each takes what the core takes: inputs by name after convolution, as [T, channels] arrays, and own parameters.
"""

# ruff: noqa: N806 -- the papers' letters
from __future__ import annotations

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


def unit(x):
    return x / np.sqrt((x * x).sum(-1, keepdims=True) + 1e-6)


def feature(core, x):
    if core.feature == "taylor2":
        x = (unit(x) if core.unit_keys else x) / core.d_key**0.25
        pairs = np.einsum("ti,tj->tij", x, x).reshape(len(x), -1) / np.sqrt(2)
        return np.concatenate([np.ones((len(x), 1)), x, pairs], 1)
    if core.feature == "elu1":
        x = np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))
    elif core.feature == "silu":
        x = x * sigmoid(x)
    elif core.feature == "relu":
        x = np.maximum(x, 0)
    return unit(x) if core.unit_keys else x


def rotate(x, angle):
    half = len(angle)
    out = x.copy()
    out[:half] = x[:half] * np.cos(angle) - x[half : 2 * half] * np.sin(angle)
    out[half : 2 * half] = x[:half] * np.sin(angle) + x[half : 2 * half] * np.cos(angle)
    return out


def softmax_attention(core, own, inputs):
    q, k, v = (inputs[name] for name in "qkv")
    T, K = q.shape
    out = np.zeros((T, v.shape[1]))
    rates = 10000.0 ** (-np.arange(K // 2) / (K // 2))
    log_forget = None
    if core.forget:
        log_forget = np.log(sigmoid(inputs["forget"][:, 0] + own["forget_bias"][0]))
    for t in range(T):
        scores = []
        for i in range(t + 1):
            if core.window and i <= t - core.window:
                scores.append(-np.inf)
                continue
            a, b = (unit(q[t]), unit(k[i])) if core.unit_keys else (q[t], k[i])
            if core.positions == "rotary":
                a, b = rotate(a, t * rates), rotate(b, i * rates)
            score = a @ b * (np.exp(own["temperature"][0]) if core.unit_keys else K**-0.5)
            if core.positions == "alibi":
                score -= 2.0**-8 * (t - i)
            if log_forget is not None:
                score += log_forget[i + 1 : t + 1].sum()
            scores.append(score)
        weights = np.exp(np.array(scores) - max(scores))
        out[t] = weights / weights.sum() @ v[: t + 1]
    return out


def matrix_state(core, own, inputs):
    T, n = len(inputs["q"]), core.steps
    q = feature(core, inputs["q"])
    k = feature(core, inputs["k"].reshape(T * n, -1)).reshape(T, n, -1)
    v = inputs["v"].reshape(T, n, -1)
    value = v.shape[2] + (1 if core.normalised else 0)
    S = np.zeros((value, q.shape[1]))
    moment, angle = np.zeros(q.shape[1]), 0.0
    out = []
    for t in range(T):
        a = np.ones(q.shape[1])
        if core.decay != "none":
            raw = own["decay_bias"] + (0 if core.decay == "constant" else inputs["decay"][t])
            a = np.exp(-sigmoid(raw)) * a
        if core.rotating:
            angle = angle + np.pi * np.tanh(inputs["angle"][t])
        for j in range(n):
            moment = moment + k[t, j] ** 2
            key = rotate(k[t, j], angle) if core.rotating else k[t, j]
            new = np.append(v[t, j], 1.0) if core.normalised else v[t, j]
            forget = a if j == 0 else np.ones_like(a)
            if core.write == "separate":
                erase = unit(inputs["erase"][t].reshape(n, -1)[j])
                rate = sigmoid(inputs["rate"][t].reshape(n, -1)[j]) * core.beta
                S = S @ (np.diag(forget) - np.outer(erase, rate * erase)) + np.outer(new, key * rate)
                continue
            if core.write == "hebb":
                S = S * forget + np.outer(new, key)
                continue
            beta = sigmoid(inputs["beta"][t].reshape(n, -1)[j, 0]) * core.beta
            if core.write == "longhorn":
                d = beta / (1 + beta * key @ key)
                S = S * forget * (1 - d * key**2) + d * np.outer(new, key)
                continue
            write = key
            if core.write == "preconditioned":
                weighted = key / (moment + 1)
                write = weighted / (key @ weighted + 1e-6)
            S = S * forget
            S = S + beta * np.outer(new - S @ key, write)
        query = rotate(q[t], angle) if core.rotating else q[t]
        o = S @ query
        out.append(o[:-1] / max(abs(o[-1]), 1.0) if core.normalised else o)
    return np.array(out)


def momentum_state(core, own, inputs):
    q, k, v = unit(inputs["q"]), unit(inputs["k"]), inputs["v"]
    M = np.zeros((v.shape[1], q.shape[1]))
    m = np.zeros_like(M)
    out = []
    for t in range(len(q)):
        b = sigmoid(inputs["beta"][t, 0])
        a = sigmoid(inputs["decay"][t, 0] + own["decay_bias"][0])
        h = sigmoid(inputs["momentum"][t, 0] + own["momentum_bias"][0])
        m = h * m + b * np.outer(v[t] - M @ k[t], k[t])
        M = (1 - a) * M + m
        out.append(M @ q[t])
    return np.array(out)


def mini_batch_state(core, own, inputs, size=16):
    q, k, v = unit(inputs["q"]), unit(inputs["k"]), inputs["v"]
    S = np.zeros((v.shape[1], q.shape[1]))
    out = []
    for t in range(len(q)):
        if t % size == 0:
            frozen = S.copy()
        S = S + sigmoid(inputs["beta"][t, 0]) * np.outer(v[t] - frozen @ k[t], k[t])
        out.append(S @ q[t])
    return np.array(out)


def least_squares(core, own, inputs):
    q, k, v = unit(inputs["q"]), unit(inputs["k"]), inputs["v"]
    H = np.zeros((v.shape[1], q.shape[1]))
    G = np.zeros((q.shape[1], q.shape[1]))
    ridge = np.diag(softplus(own["ridge"]) + 0.05)
    out = []
    for t in range(len(q)):
        f = np.exp(-sigmoid(inputs["decay"][t, 0] + own["decay_bias"][0]))
        b = sigmoid(inputs["beta"][t, 0])
        H = f * H + b * np.outer(v[t], k[t])
        G = f * G + b * np.outer(k[t], k[t])
        out.append(H @ np.linalg.solve(G + ridge, q[t]))
    return np.array(out)


def exponential_gates(core, own, inputs):
    q, k, v = inputs["q"], inputs["k"] * core.d_key**-0.5, inputs["v"]
    S = np.zeros((v.shape[1], q.shape[1]))
    n = np.zeros(q.shape[1])
    out = []
    for t in range(len(q)):
        i = np.exp(inputs["input"][t, 0] + own["input_bias"][0])
        f = sigmoid(inputs["forget"][t, 0] + own["forget_bias"][0])
        S, n = f * S + i * np.outer(v[t], k[t]), f * n + i * k[t]
        out.append(S @ q[t] / max(abs(n @ q[t]), 1.0))
    return np.array(out)


def long_convolution(core, own, inputs):
    q, x = inputs["q"], inputs["k"] * inputs["v"]
    T = len(q)
    lags = np.arange(T)[:, None]
    angle = lags * 2 * np.pi / 512 * 2.0 ** np.arange(4)
    inner = np.sin(np.concatenate([np.ones((T, 1)), np.sin(angle), np.cos(angle)], 1) @ own["filter_in"])
    h = inner @ own["filter_out"] * np.exp(-lags * softplus(own["filter_decay"]))
    return np.array([q[t] * (sum(h[j] * x[t - j] for j in range(t + 1)) + own["skip"] * x[t]) for t in range(T)])


def gated_recurrent(core, own, inputs):
    size, W = core.width, own["recurrent"]
    h, c = np.zeros(size), np.zeros(size)
    out = []
    for x in inputs["gates"] + own["bias"]:
        back = h @ W
        if core.kind == "gru":
            z, r = sigmoid(x[:size] + back[:size]), sigmoid(x[size : 2 * size] + back[size : 2 * size])
            new = np.tanh(x[2 * size :] + r * back[2 * size :])
            h = (1 - z) * new + z * h
        else:
            i, f, o = (sigmoid((x + back)[j * size : (j + 1) * size]) for j in range(3))
            c = f * c + i * np.tanh((x + back)[3 * size :])
            h = o * np.tanh(c)
        out.append(h)
    return np.array(out)


def passing(core, own, inputs):
    return inputs["v"]


ORACLES = {
    "Softmax": softmax_attention,
    "MatrixState": matrix_state,
    "MomentumState": momentum_state,
    "MiniBatchState": mini_batch_state,
    "LeastSquares": least_squares,
    "ExponentialGates": exponential_gates,
    "LongConvolution": long_convolution,
    "GatedRecurrent": gated_recurrent,
    "Passing": passing,
}

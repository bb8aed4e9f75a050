"""Published optimisers as programs; the rate and its schedule are the arena's, momentum and the like constants.

Not here: Shampoo (2002.09568) and SOAP (2409.11321) keep square matrices of each side's size, which are no registers of
a parameter's shape; schedule-free averaging (2405.15682) scores other weights than those that gradients are taken at.
"""

from __future__ import annotations

from collections.abc import Mapping

from novum.core.model.candidate import Genome

_ADAM = (
    "c = a * c; d = b * d; m = interp(g, m, 0.9); p = g * g; n = interp(p, n, 0.99); "
    "f = e - d; f = e / f; p = f * n; p = sqrt(p); f = 1e-08; p = f + p; u = m / p; f = e - c; f = e / f; u = f * u"
)
_START = "a = 0.9; b = 0.99; c = 1.0; d = 1.0; e = 1.0"

SGD: Genome = {"step": "u = g"}
RULES: Mapping[str, Genome] = {
    "SGD": SGD,
    "momentum": {"step": "m = interp(g, m, 0.9); u = m"},
    "signum": {"step": "m = interp(g, m, 0.9); u = sign(m)"},
    "normalised momentum": {"step": "m = interp(g, m, 0.9); u = unit(m)"},
    "Lion": {"step": "u = interp(g, m, 0.9); u = sign(u); m = interp(g, m, 0.99); a = 0.1; p = a * w; u = p + u"},
    "AdamW": {"setup": _START, "step": f"{_ADAM}; f = 0.01; p = f * w; u = p + u"},
    "Muon": {"step": "m = interp(g, m, 0.95); u = interp(g, m, 0.95); u = orthogonal(u)"},
    "NorMuon": {
        "setup": "a = 1e-08",
        "step": "m = interp(g, m, 0.95); u = interp(g, m, 0.95); u = orthogonal(u); p = u * u; p = row_mean(p); "
        "n = interp(p, n, 0.95); p = sqrt(n); p = a + p; u = u / p; u = unit(u)",
    },
}
"""Robbins and Monro 1951; Polyak 1964; Bernstein et al. 1802.04434; Cutkosky and Mehta 2002.03305; Chen et al.
2302.06675; Loshchilov and Hutter 1711.05101; Jordan et al. 2024 with the scale of 2502.16982; 2510.05491."""

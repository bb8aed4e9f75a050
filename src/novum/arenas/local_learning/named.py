"""Published rules as genomes: what the search may put together again, and what benchmarks compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from novum.core.model.candidate import Genome


@dataclass(frozen=True, slots=True)
class Named:
    """A rule: its genes, its update of one layer, and where it was published."""

    genes: Genome
    equation: str
    source: str


RULES: Mapping[str, Named] = {
    "backpropagation": Named(
        {"signal": "transpose", "settling": "none"}, "d = f'(a) * (W^T d above)", "Rumelhart et al. 1986"
    ),
    "feedback alignment": Named({"signal": "random"}, "d = f'(a) * (B d above)", "1411.0247"),
    "direct feedback alignment": Named({"signal": "direct"}, "d = f'(a) * (B e)", "1609.01596"),
    "sign-symmetric feedback": Named(
        {"signal": "random", "feedback": "sign"}, "d = f'(a) * ((sign(W) * abs B)^T d above)", "1510.05067"
    ),
    "mirrored feedback": Named(
        {"signal": "random", "feedback": "mirrored"}, "B and W share updates and decay", "1904.05391 (Kolen-Pollack)"
    ),
    "difference target propagation": Named(
        {"signal": "inverse", "nudge": 0.1, "activation": "tanh"}, "t = h + g(t above) - g(h above)", "1412.7525"
    ),
    "predictive coding": Named(
        {"signal": "transpose", "settling": "prediction", "steps": 16},
        "z += s (W^T (f' * e above) - e), then e x^T",
        "2407.01163 (pcx)",
    ),
    "predictive coding, fixed predictions": Named(
        {"signal": "transpose", "settling": "prediction", "predictions": "fixed", "step_size": 1.0, "steps": 4},
        "the same with predictions of the forward pass",
        "2006.04182",
    ),
    "equilibrium propagation": Named(
        {
            "signal": "transpose",
            "settling": "hopfield",
            "steps": 16,
            "step_size": 0.5,
            "nudge": 0.3,
            "antithetic": True,
            "activation": "clip",
        },
        "(s x^T nudged by b - by -b) / 2b",
        "1602.05179, centred as in 2006.03824",
    ),
    "forward-forward": Named(
        {"signal": "goodness", "readout": "own", "normalise": "length", "update": "adam"},
        "raise |h|^2 of right labels, lower that of wrong ones",
        "2212.13345",
    ),
    "node perturbation": Named(
        {"signal": "perturbation", "noise": "nodes", "readout": "own", "nudge": 0.1, "antithetic": True, "draws": 16},
        "-(L(a + s n) - L(a - s n)) / 2s n x^T",
        "Werfel et al., Neural Computation 2005",
    ),
    "evolution strategy of low rank": Named(
        {"signal": "perturbation", "noise": "weights", "readout": "own", "nudge": 0.1, "antithetic": True, "draws": 16},
        "-(L(W + s E) - L(W - s E)) / 2s E, E = A B^T / sqrt r",
        "2511.16652 (EGGROLL)",
    ),
    "hebbian components": Named(
        {"signal": "hebbian", "depth": 1, "activation": "relu"}, "y (x - sum_{k<=j} y_k w_k)", "Sanger 1989, Oja 1982"
    ),
}
"""By name; genes left out are at their first choice."""

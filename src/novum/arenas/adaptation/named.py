"""Published ways to adapt, as genomes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from novum.core.model.candidate import Genome

_RAW: Genome = {"features": "raw", "start": "zero", "rates": "learned", "meta": "unrolled"}
_DEEP: Genome = {"features": "learned", "start": "learned", "rates": "learned", "meta": "unrolled"}

METHODS: Mapping[str, Genome] = MappingProxyType(
    {
        "no adaptation": {"inner": "none"},
        "fine-tuning": {"inner": "gradient", "adapts": "all", "descent": 5, "meta": "joint"},
        "fine-tuning of the head": {"inner": "gradient", "adapts": "head", "descent": 5, "meta": "joint"},
        "MAML": {**_DEEP, "inner": "gradient", "adapts": "all", "descent": 5, "rates": "fixed"},
        "MAML, learned rates": {**_DEEP, "inner": "gradient", "adapts": "all", "descent": 5},
        "first-order MAML": {"inner": "gradient", "adapts": "all", "descent": 5, "meta": "first-order"},
        "Reptile": {"inner": "gradient", "adapts": "all", "descent": 5, "meta": "reptile"},
        "ANIL": {**_DEEP, "inner": "gradient", "adapts": "head", "descent": 5},
        "TTT-Linear": {**_DEEP, "inner": "delta"},
        "ridge on learned features": {**_DEEP, "inner": "ridge", "start": "zero"},
        "attention on learned features": {**_DEEP, "inner": "attention", "start": "zero"},
        "ridge": {**_RAW, "inner": "ridge"},
        "one gradient step": {**_RAW, "inner": "gradient", "descent": 1},
        "five gradient steps": {**_RAW, "inner": "gradient", "descent": 5},
        "delta rule": {**_RAW, "inner": "delta"},
        "attention": {**_RAW, "inner": "attention"},
        "nearest neighbours": {"inner": "neighbours", "features": "raw", "meta": "none"},
    }
)
"""MAML and its first order: Finn et al. 2017 (arXiv 1703.03400); learned rates: Li et al. 2017 (Meta-SGD, 1707.09835);
Reptile: Nichol et al. 2018 (1803.02999); ANIL: Raghu et al. 2020 (1909.09157); ridge on learned features: Bertinetto et
al. 2019 (R2-D2, 1805.08136); delta rule with a learned start, as the inner loop of TTT-Linear (Sun et al. 2024,
2407.04620); a gradient step on raw inputs is a layer of linear attention (von Oswald et al. 2023, 2212.07677)."""

"""A tree-structured Parzen estimator (Bergstra et al., NIPS 2011) through Optuna, rebuilt for each question."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any


def has_tpe() -> bool:
    """Whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


def next_point(
    space: Mapping[str, Any], seen: Iterable[tuple[Mapping[str, Any], float]], sampler: Mapping[str, Any]
) -> dict[str, Any]:
    """The next point to try, from a study in memory that holds what was seen; larger values are better.

    space: Optuna's distributions by name. sampler: options of Optuna's TPESampler, its seed among them.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(**sampler))
    for point, value in seen:
        study.add_trial(optuna.trial.create_trial(params=dict(point), distributions=dict(space), value=value))
    return dict(study.ask(fixed_distributions=dict(space)).params)

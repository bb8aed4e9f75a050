"""Experiment trackers that would wait for a network, which the sandbox has not, and what keeps them on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_GO_BYTES = 4 << 30
"""W&B's service is a Go program: it reserves addresses, which a bound of memory counts, far beyond what it uses."""


@dataclass(frozen=True, slots=True)
class Tracker:
    """One tracker: the words that a script has which uses it, the environment that keeps it offline, what to know."""

    words: str
    environment: Mapping[str, str]
    note: str = ""
    memory_bytes: int = 0
    """The least that a trial with it must be allowed."""


@dataclass(frozen=True)
class Offline:
    """The same of all trackers that a project uses."""

    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    memory_bytes: int = 0


_TRACKERS = (
    # Trainers of these libraries report to W&B wherever it is installed.
    Tracker(
        "wandb|WandbLogger|import transformers|from transformers|import accelerate|from accelerate",
        {"WANDB_MODE": "offline"},
        memory_bytes=_GO_BYTES,
    ),
    Tracker(
        "mlflow|MLFlowLogger",
        {
            "MLFLOW_TRACKING_URI": "file:mlruns",
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        },
        "mlflow writes to mlruns in the work directory, where no score is looked for; a server that the script itself "
        "names cannot be reached",
    ),
    Tracker(
        "comet_ml|CometLogger",
        {"COMET_START_ONLINE": "0"},
        "comet_ml.start(...) writes offline; a script that makes Experiment(...) needs OfflineExperiment(...) instead",
    ),
    Tracker("neptune|neptune_scale|NeptuneLogger", {"NEPTUNE_MODE": "offline"}),
    Tracker("clearml", {"CLEARML_OFFLINE_MODE": "1"}),
    Tracker("swanlab", {"SWANLAB_MODE": "offline"}),
)


def offline(texts: Iterable[str]) -> Offline:
    """What keeps the trackers offline that some texts speak of."""
    every = list(texts)
    used = [one for one in _TRACKERS if any(re.search(rf"\b(?:{one.words})\b", text) for text in every)]
    return Offline(
        {name: value for one in used for name, value in one.environment.items()},
        tuple(one.note for one in used if one.note),
        max((one.memory_bytes for one in used), default=0),
    )

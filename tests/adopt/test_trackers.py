"""Scripts that use a tracker get what keeps it offline, written into their study as a guess."""

from __future__ import annotations

import pytest

from novum.adopt.trackers import offline


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("import wandb", "WANDB_MODE", "offline"),
        ("from lightning.pytorch.loggers import WandbLogger", "WANDB_MODE", "offline"),
        ("from transformers import Trainer", "WANDB_MODE", "offline"),
        ("import mlflow", "MLFLOW_TRACKING_URI", "file:mlruns"),
        ("import comet_ml", "COMET_START_ONLINE", "0"),
        ("import neptune_scale", "NEPTUNE_MODE", "offline"),
        ("from clearml import Task", "CLEARML_OFFLINE_MODE", "1"),
    ],
)
def test_a_tracker_is_kept_offline(text, name, value):
    assert offline(["x = 1", text]).environment[name] == value


def test_a_script_without_a_tracker_gets_nothing():
    found = offline(["import torch", "# no wandbox here, nor transformersome"])
    assert (found.environment, found.notes, found.memory_bytes) == ({}, (), 0)


def test_several_are_kept_offline_together():
    found = offline(["import wandb, mlflow"])
    assert {"WANDB_MODE", "MLFLOW_TRACKING_URI"} <= set(found.environment)
    assert found.memory_bytes >= 4 << 30
    assert len(found.notes) == 1

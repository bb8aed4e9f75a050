"""A worker program that says which GPUs its group holds, and when."""

from __future__ import annotations

import json
import os
import resource
import time

from novum.core.model.trial import TrialGroup, TrialOutput


def run(group: TrialGroup) -> list[TrialOutput]:
    """One artefact a trial: the GPUs, the moments of beginning and end, the variable, the bound on address space."""
    began = time.monotonic()
    time.sleep(0.15)
    if group.candidate.genome["act"] == "die":
        os.kill(os.getppid(), 9)
        time.sleep(5)
    told = {
        "gpus": [gpu.id for gpu in group.gpus],
        "began": began,
        "ended": time.monotonic(),
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "bounded": resource.getrlimit(resource.RLIMIT_AS)[1] != resource.RLIM_INFINITY,
    }
    return [TrialOutput(trial.id, json.dumps(told).encode()) for trial in group.trials]

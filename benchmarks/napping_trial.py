"""A trial that sleeps for the study's `seconds`: what is left is how well the lab keeps its workers busy."""

from __future__ import annotations

import time
from collections.abc import Sequence

from novum.core.model.trial import TrialGroup, TrialOutput


def run(group: TrialGroup) -> Sequence[TrialOutput]:
    """Two bytes that follow from the seed, some time later."""
    time.sleep(float(group.options["seconds"]))
    return [TrialOutput(trial.id, artefact=(trial.seed % 65536).to_bytes(2, "little")) for trial in group.trials]

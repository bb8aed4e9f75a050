"""A worker program for tests: 500 points, plus the candidate's level, plus noise from the trial's own seed."""

from __future__ import annotations

from novum.core.model.trial import TrialGroup, TrialOutput

POINTS = 500
NOISE = 41


def run(group: TrialGroup) -> list[TrialOutput]:
    level = 0 if group.options.get("deaf", False) else int(group.candidate.genome["level"])
    constant = group.options.get("constant", False)
    return [
        TrialOutput(trial.id, artefact=(POINTS + level + (0 if constant else trial.seed % NOISE)).to_bytes(2, "little"))
        for trial in group.trials
    ]

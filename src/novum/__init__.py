"""Novum: an automated AI research lab that anyone can run.

The public API. Everything is loaded on first use, so that importing novum costs nothing:

    import novum
    file = novum.load_study("coinflip")
    summary = novum.run(file.study, novum.Budget(trials=2000), "labs/coins")

and, in a training script, what it reports:

    novum.log(val_loss=0.3, step=7)
"""

from __future__ import annotations

import importlib

from novum.version import __version__

TYPE_CHECKING = False  # a constant that type checkers take for true: `import typing` takes longer than all the rest
if TYPE_CHECKING:
    from typing import Any

    from novum.api import run, verify
    from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
    from novum.core.model.budget import AuthorBudget, Budget, LevelSettings
    from novum.core.model.candidate import Candidate, Cost, Gene, Genome, Setting, Space
    from novum.core.model.errors import NovumError, StudyError, UserError
    from novum.core.model.metric import Metric, Score
    from novum.core.model.ports import Arena, Executor, Researcher
    from novum.core.model.proposal import Proposal
    from novum.core.model.study import (
        CommentSettings,
        FollowUpSettings,
        GateSettings,
        Guardrail,
        HoldoutSettings,
        PolicyRule,
        PolicySettings,
        ResearcherSettings,
        ScreeningSettings,
        Study,
        WatchdogSettings,
    )
    from novum.core.model.study_view import StudyView
    from novum.core.model.trial import ArtefactError, OutcomeKind, Trial, TrialGroup, TrialOutput
    from novum.integrations.exports.campaign_tables import tables
    from novum.lab.restore import read_lab
    from novum.studies.load import load_study
    from novum.training_log import log

_HOMES = {
    "novum.api": (
        "read_lab",
        "run",
        "verify",
    ),
    "novum.core.model.arena_spec": (
        "ArenaSpec",
        "Controls",
        "Transfer",
    ),
    "novum.core.model.budget": (
        "AuthorBudget",
        "Budget",
        "LevelSettings",
    ),
    "novum.core.model.candidate": (
        "Candidate",
        "Cost",
        "Gene",
        "Genome",
        "Setting",
        "Space",
    ),
    "novum.core.model.errors": (
        "NovumError",
        "StudyError",
        "UserError",
    ),
    "novum.core.model.metric": (
        "Metric",
        "Score",
    ),
    "novum.core.model.ports": (
        "Arena",
        "Executor",
        "Researcher",
    ),
    "novum.core.model.proposal": ("Proposal",),
    "novum.core.model.study": (
        "CommentSettings",
        "FollowUpSettings",
        "GateSettings",
        "Guardrail",
        "HoldoutSettings",
        "PolicyRule",
        "PolicySettings",
        "ResearcherSettings",
        "ScreeningSettings",
        "Study",
        "WatchdogSettings",
    ),
    "novum.core.model.study_view": ("StudyView",),
    "novum.core.model.trial": (
        "ArtefactError",
        "OutcomeKind",
        "Trial",
        "TrialGroup",
        "TrialOutput",
    ),
    "novum.integrations.exports.campaign_tables": ("tables",),
    "novum.lab.restore": ("read_lab",),
    "novum.studies.load": ("load_study",),
    "novum.training_log": ("log",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Arena",
    "ArenaSpec",
    "ArtefactError",
    "AuthorBudget",
    "Budget",
    "Candidate",
    "CommentSettings",
    "Controls",
    "Cost",
    "Executor",
    "FollowUpSettings",
    "GateSettings",
    "Gene",
    "Genome",
    "Guardrail",
    "HoldoutSettings",
    "LevelSettings",
    "Metric",
    "NovumError",
    "OutcomeKind",
    "PolicyRule",
    "PolicySettings",
    "Proposal",
    "Researcher",
    "ResearcherSettings",
    "Score",
    "ScreeningSettings",
    "Setting",
    "Space",
    "Study",
    "StudyError",
    "StudyView",
    "Transfer",
    "Trial",
    "TrialGroup",
    "TrialOutput",
    "UserError",
    "WatchdogSettings",
    "__version__",
    "load_study",
    "log",
    "read_lab",
    "run",
    "tables",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'novum' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Every error Novum raises on purpose.

NovumError
├── UserError            what is wrong, where, and what to do; the command line prints one line and exits with 2
│   ├── StudyError       a study file or an argument that does not fit
│   ├── StudyRefused     a study that cannot succeed, by its preflight
│   ├── MissingExtra     an optional dependency is not installed
│   ├── LabInUse         another process writes to this lab
│   ├── LabMismatch      the lab directory belongs to another study
│   └── StorageError     the disk is full, read-only or failing
├── IntegrityError       a record does not agree with itself
├── ExecutorError        the place where trials run cannot be started
└── ArtefactError        a trial delivered something that cannot be scored
"""

from __future__ import annotations


class NovumError(Exception):
    """Base of all errors that Novum raises on purpose."""


class UserError(NovumError):
    """Something the user can mend: says what, where and what to do. Exit status 2."""


class StudyError(UserError):
    """A study file or an argument that does not fit its schema."""


class StudyRefused(UserError):
    """The preflight found that a study cannot succeed."""


class MissingExtra(UserError):
    """An optional dependency is needed and not installed."""


class LabInUse(UserError):
    """Another process holds the writer lease of the lab directory."""


class LabMismatch(UserError):
    """The lab directory holds a campaign with other settings."""

    def __init__(self, message: str, *, unscored: bool = False) -> None:
        super().__init__(message)
        self.unscored = unscored
        """Whether nothing would be lost by beginning anew: no trial of the campaign has a score."""


class StorageError(UserError):
    """The ledger or a blob could not be written: disk full, read-only or failing."""


class IntegrityError(NovumError):
    """The ledger contradicts itself."""


class ExecutorError(NovumError):
    """The executor cannot run anything at all (not: one trial failed, which is an outcome)."""

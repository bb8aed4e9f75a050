"""What can happen: every kind of event that a ledger holds. Importing this package registers them all."""

from novum.core.events import (
    campaign,
    evidence_account,
    models_and_people,
    oversight,
    promises,
    proposals,
    trials,
    verdicts,
)

__all__ = [
    "campaign",
    "evidence_account",
    "models_and_people",
    "oversight",
    "promises",
    "proposals",
    "trials",
    "verdicts",
]

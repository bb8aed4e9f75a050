"""Views of records that a test holds in its hand, and of a study as a researcher sees it."""

from __future__ import annotations

import labs

from novum.core.model.study_view import StudyView
from novum.lab import wiring
from novum.views.index.campaign_index import CampaignIndex
from novum.views.index.case_index import CaseIndex


def index_of(records):
    """The index of records, in order."""
    return CampaignIndex().read(records)


def cases_of(records):
    """The cases of records that need not be a whole campaign."""
    found = CaseIndex()
    for record in records:
        found.take(record)
    return found


def coin_view(**changes) -> StudyView:
    """The coin study before its first proposal."""
    problem = wiring.arena(labs.coin_study())
    space, spec = problem.space, problem.spec
    return StudyView(**{"spec": spec, "space": space, "number": 1, "incumbent": space.validate({}), "tried": (),
                        "known": frozenset(), "question": "Which coin?", **changes})  # fmt: skip

"""Views of records that a test holds in its hand."""

from __future__ import annotations

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

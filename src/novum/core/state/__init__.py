"""What follows: the state of a campaign as a fold of its events. Importing this package registers all projections."""

from novum.core.state import fold_campaign, fold_hypotheses, fold_trials

__all__ = ["fold_campaign", "fold_hypotheses", "fold_trials"]

"""What follows: the state of a campaign as a fold of its events, with all projections registered."""

from novum.core.state import projections

__all__ = ["projections"]

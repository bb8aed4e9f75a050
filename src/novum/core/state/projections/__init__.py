"""What each kind of event does to the state: one projection each. Importing this package registers them all."""

from novum.core.state.projections import (
    campaign_projections,
    hypothesis_projections,
    machine_projections,
    trial_projections,
)

__all__ = ["campaign_projections", "hypothesis_projections", "machine_projections", "trial_projections"]

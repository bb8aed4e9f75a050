"""What follows: the state of a campaign as a fold of its events."""

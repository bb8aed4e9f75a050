"""A study as researchers see it: its past, its claims, and what may be known of it."""

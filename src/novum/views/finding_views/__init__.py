"""Findings in words and figures: what is claimed, its size, its losses, what controls and follow-ups say of it."""

"""Putting a lab together: wiring, sessions, preflight, replay, provenance."""

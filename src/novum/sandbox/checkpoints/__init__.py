"""Checkpoints that running programs write: seen, copied out, and where they wait."""

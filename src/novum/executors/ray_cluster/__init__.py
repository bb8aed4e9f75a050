"""Trials on a Ray cluster. Nothing here imports Ray but the driver process and what it starts."""

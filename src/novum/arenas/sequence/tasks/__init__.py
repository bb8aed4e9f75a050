"""Synthetic tasks for sequence models, generated online; one file per task."""

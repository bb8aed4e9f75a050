"""Anybody's own program: a directory, a metric, and files that may change."""

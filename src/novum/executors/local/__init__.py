"""Trials on this machine: warm fork servers and a forked, bounded child for each trial group."""

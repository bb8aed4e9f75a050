"""Adaptation to a new task from a few examples: what is kept, what moves, and what is learned beforehand."""

"""Numbers that both interpreters of update rules share."""

from __future__ import annotations

ROUNDS = 5
"""Of the Newton-Schulz iteration."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of Muon's quintic iteration (Jordan et al. 2024), which brings singular values to about [0.7, 1.2]."""
TINY = 1e-12
"""Least length that anything is divided by, so that what is zero stays zero."""

"""Searching update rules of quadratics by the thousand, compiled."""

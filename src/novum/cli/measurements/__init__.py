"""Measurements of their own: what a context costs, scaling laws, the rediscovery battery."""

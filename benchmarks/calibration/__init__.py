"""Synthetic campaigns for the acceptance gate and for the rules of others; see benchmarks/README.md."""

"""Learning rules as short programs over scalar, vector and matrix registers (linear genetic programming).

A program has components such as setup, predict and learn (AutoML-Zero, Real et al. 2020, arXiv 2003.03384). Texts and
normal forms need numpy alone; `kernel` and `evolution` are compiled by numba and are for workers.
"""

"""Improves programs without a language model: tuned literals, mutated syntax, known-good rewrites, crossover."""

from novum.researchers.code.code_researcher import CodeResearcher

__all__ = ["CodeResearcher"]

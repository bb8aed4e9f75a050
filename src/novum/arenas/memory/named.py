"""Published memory rules in the arena's language, each with its constants open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from novum.core.model.candidate import Genome

_ERROR = "u = S @ k; u = v - u"
_ADD = "U = outer(u, k); S = S + U"
_GAIN = f"w = P @ k; a = dot(k, w); a = a + b; a = c / a; {_ERROR}; u = a * u; U = outer(u, w); S = S + U"
_SHRINK = "u = a * w; U = outer(u, w); P = P - U"
READ = "o = S @ q"
STEPS, KEPT, PRIOR = (0.2, 0.3, 0.5, 0.7, 1.0), (0.9, 0.95, 0.98, 0.99, 0.995), (1.0, 10.0)
FORGETTING = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995)


@dataclass(frozen=True)
class Rule:
    """A genome with {0}, {1} for its constants in `setup`, the values that each is tuned over, and the source."""

    setup: str
    write: str
    grid: tuple[tuple[float, ...], ...]
    source: str

    def genome(self, *constants: float) -> Genome:
        """The rule with these constants."""
        return {"setup": self.setup.format(*constants), "write": self.write, "read": READ}

    def variants(self) -> Iterator[Genome]:
        """The rule with each combination of its constants."""
        return (self.genome(*chosen) for chosen in product(*self.grid))


RULES: dict[str, Rule] = {
    "hebb": Rule("", "U = outer(v, k); S = S + U", (), "linear attention, arXiv 2006.16236"),
    "decay": Rule("a = {0}", "U = outer(v, k); S = a * S; S = S + U", (KEPT,), "RetNet, arXiv 2307.08621"),
    "delta": Rule("a = {0}", f"{_ERROR}; u = a * u; {_ADD}", (STEPS,), "DeltaNet, arXiv 2102.11174"),
    "gated delta": Rule(
        "a = {0}; b = {1}", f"S = b * S; {_ERROR}; u = a * u; {_ADD}", (STEPS, KEPT), "arXiv 2412.06464"
    ),
    "rls": Rule("b = 1.0; c = 1.0; a = {0}; P = eye(a)", f"{_GAIN}; {_SHRINK}", (PRIOR,), "MesaNet, arXiv 2506.05233"),
    "forgetting rls": Rule(
        "a = {0}; P = eye(a); b = {1}; c = 1.0; e = c / b",
        f"{_GAIN}; {_SHRINK}; P = e * P",
        (PRIOR, FORGETTING),
        "Haykin, Adaptive Filter Theory, 2002, section 9.3",
    ),
}

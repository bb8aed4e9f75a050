"""Published regret minimisers in the arena's language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from novum.core.model.candidate import Genome


@dataclass(frozen=True)
class Rule:
    """A genome with {0}, {1}, ... for its constants, their published values and those that they are tuned over."""

    update: str
    policy: str
    average: str
    published: tuple[float, ...]
    grid: tuple[tuple[float, ...], ...]
    source: str

    def genome(self, *constants: float) -> Genome:
        """The rule with these constants, or the published ones."""
        chosen = constants or self.published
        parts = {"update": self.update, "policy": self.policy, "average": self.average}
        return {name: text.format(*chosen) for name, text in parts.items()}

    def variants(self) -> Iterator[Genome]:
        """The rule with each combination of its constants."""
        return (self.genome(*chosen) for chosen in product(*self.grid))


_POWERS = {0: "s = 1.0", 1: "s = max(t, t)", 2: "s = t * t", 3: "s = t * t; s = s * t"}
_DCFR = (
    "R = r + R; a = sqrt(t); a = a * t; b = 1.0; b = a + b; a = a / b; u = relu(R); R = R - u; u = a * u; b = {0}; "
    "R = b * R; R = R + u"
)
_GEOMETRIC = "b = {0}; s = b * s; c = 1.0; s = c + s"
"""s = b s + 1: so that a rule that is found is not compared with others that average more."""
GROWTH = (1.01, 1.02, 1.05, 1.1, 1.2, 2.0)
RULES: dict[str, Rule] = {
    "cfr": Rule("R = r + R", "w = relu(R)", "s = 1.0", (), (), "Zinkevich et al. 2007"),
    "cfr+": Rule("R = r + R; R = relu(R)", "w = relu(R)", _POWERS[1], (), (), "Tammelin 2014, arXiv 1407.5042"),
    "cfr+ quadratic": Rule("R = r + R; R = relu(R)", "w = relu(R)", _POWERS[2], (), (), "arXiv 2007.14358"),
    "dcfr": Rule(
        _DCFR, "w = relu(R)", _POWERS[2], (0.5,), ((0.0, 0.25, 0.5, 0.75, 0.9),), "Brown 2019, arXiv 1809.04040"
    ),
    "pcfr+": Rule(
        "R = r + R; R = relu(R)",
        "a = {0}; u = a * r; w = R + u",
        _POWERS[2],
        (1.0,),
        ((0.5, 0.75, 1.0, 1.25, 1.5),),
        "Farina et al. 2021, arXiv 2007.14358",
    ),
    "pcfr+ cubic": Rule("R = r + R; R = relu(R)", "w = R + r", _POWERS[3], (), (), "the same, cubic averaging"),
    "cfr+ geometric": Rule(
        "R = r + R; R = relu(R)", "w = relu(R)", _GEOMETRIC, (1.1,), (GROWTH,), "no publication: late policies alone"
    ),
    "pcfr+ geometric": Rule("R = r + R; R = relu(R)", "w = R + r", _GEOMETRIC, (1.1,), (GROWTH,), "the same"),
}

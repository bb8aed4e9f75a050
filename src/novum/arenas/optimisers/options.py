"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting
from novum.core.model.trial import Role

TaskName = Literal["quadratic", "mnist1d", "digits", "bytes"]
CLASSES, BYTES = 10, 256
WIDER = {Role.SEARCH: 1.0, Role.GATE: 1.5, Role.FINAL: 2.0}
"""How many times the width of the search a trial of each role has."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is trained, for how long, and what a rule may consist of."""

    task: TaskName = "mnist1d"
    width: Annotated[int, Ge(4), Le(512)] = 32
    """Units of a layer, or rows and columns of a quadratic's matrix, while searching; confirmations have 1.5 times as
    many."""
    depth: Annotated[int, Ge(1), Le(8)] = 2
    """Hidden layers, or blocks of the transformer."""
    steps: Annotated[int, Ge(2), Le(100_000)] = 400
    batch: Annotated[int, Ge(1), Le(1024)] = 32
    """Examples of a step; of bytes, sequences."""
    length: Annotated[int, Ge(4), Le(1024)] = 32
    """Bytes of a sequence."""
    condition: Annotated[float, Ge(1), Le(1e8)] = 1000.0
    """Largest over smallest curvature of a quadratic."""
    noise: Annotated[float, Ge(0), Le(100)] = 0.0
    """Sd of what is added to a quadratic's labels that are learned from; the scored ones are without."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """Of the learning rate, after a rise over a twentieth of the steps."""
    train: Annotated[int, Ge(20), Le(100_000)] = 4000
    """Examples of MNIST-1D to learn from; of digits there are 720."""
    held_out: Annotated[int, Ge(1), Le(4096)] = 500
    """Examples that are scored; of bytes, sequences of which the last place is scored. Digits have 359."""
    operations: str = "all"
    """Operations by name, joined by +; few stands for those of momentum, signs and orthogonalisation. With a minus
    before it a name is left out: "all - exp_s".
    """
    memory: Annotated[int, Ge(1), Le(6)] = 4
    """Matrices that a rule has for itself."""
    setup: Annotated[int, Ge(0), Le(20)] = 8
    """Instructions that run once, at most; 0: there is no such component."""
    instructions: Annotated[int, Ge(1), Le(40)] = 24
    """Of an update, at most."""

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    def units(self, role: Role) -> int:
        """The width of a trial of this role; a multiple of four, since a transformer has four heads."""
        return max(4, 4 * round(self.width * WIDER[role] / 4))

"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass, fields

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError

SMALLEST, LARGEST = 20, 720


@dataclass(frozen=True, slots=True)
class Options:
    """`train`: images that a trial learns from, of the 720 in the pool, before augmentation.

    `noise`: sd of Gaussian noise on every pixel, learned and scored ones alike, in grey levels (images have 0 to 16).
    `shuffled` draws every label anew, so that nothing can be learned: the negative control of the preflight.
    """

    train: int = 150
    noise: float = 0.0
    shuffled: bool = False

    @classmethod
    def parse(cls, given: Setting) -> Options:
        """Options from a study's mapping; missing keys get their defaults. Raises StudyError naming the key."""
        known = {field.name: type(field.default) for field in fields(cls)}
        if unknown := sorted(set(given) - set(known)):
            raise StudyError(f"options.{unknown[0]}: unknown to the digits arena; choose from {', '.join(known)}")
        for name, value in given.items():
            wanted: tuple[type, ...] = (float, int) if known[name] is float else (known[name],)
            if type(value) not in wanted:
                raise StudyError(f"options.{name}: must be {known[name].__name__}, not {value!r}")
        options = cls(**given)  # type: ignore[arg-type]  # the loop above checked every type
        for name, low, high in _RANGES:
            value = getattr(options, name)
            if not low <= value <= high:
                raise StudyError(f"options.{name}: cannot be {value}; allowed are {low} to {high}")
        return options

    def rows(self, fidelity: float) -> int:
        """Images that a trial of this `fidelity` learns from."""
        return max(SMALLEST, round(self.train * fidelity))


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("train", SMALLEST, LARGEST),
    ("noise", 0.0, 16.0),
)

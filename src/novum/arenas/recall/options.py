"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError


@dataclass(frozen=True, slots=True)
class Options:
    """Task, model and training. Lengths are in tokens, `max_state` in floats per sequence (0: no limit).

    `shuffled` draws the answers anew, so that nothing can be learned: the negative control of the preflight.
    `queries` (derived) is the number of labelled positions of a sequence. Defaults: see README.md, "What was measured".
    """

    task: Literal["overwrite", "mqar"] = "overwrite"
    length: Annotated[int, Ge(2), Le(4096)] = 30
    vocabulary: Annotated[int, Ge(8), Le(65536)] = 32
    keys: Annotated[int, Ge(1), Le(1024)] = 6
    writes: Annotated[int, Ge(1), Le(64)] = 2
    fill: Literal["zero", "random"] = "zero"
    width: Annotated[int, Ge(4), Le(1024)] = 32
    layers: Annotated[int, Ge(1), Le(8)] = 1
    batch: Annotated[int, Ge(1), Le(1024)] = 16
    steps: Annotated[int, Ge(1), Le(1_000_000)] = 400
    held_out: Annotated[int, Ge(1), Le(65536)] = 256
    warmup: Annotated[float, Ge(0), Le(1)] = 0.1
    clip: Annotated[float, Ge(1e-6), Le(1e9)] = 1.0
    weight_decay: Annotated[float, Ge(0), Le(1)] = 0.01
    max_state: Annotated[int, Ge(0), Le(1 << 40)] = 0
    shuffled: bool = False

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        for broken, message in _MQAR if self.task == "mqar" else _OVERWRITE:
            if broken(self):
                got = ", ".join(f"{name} = {getattr(self, name)!r}" for name in _SHAPE)
                raise StudyError(f"options.task: {self.task!r} {message}; got {got}")

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    @property
    def queries(self) -> int:
        """Labelled positions of one sequence."""
        return self.keys if self.task == "mqar" else self.length - 2 * self.keys * self.writes


_SHAPE = ("length", "vocabulary", "keys", "writes", "fill")
_Rule = tuple[Callable[[Options], bool], str]

_MQAR: tuple[_Rule, ...] = (
    (lambda o: 4 * o.keys > o.length, "needs 4 * keys <= length"),
    (lambda o: o.length % 2 == 1, "needs an even length"),
    (lambda o: o.vocabulary <= o.length, "needs vocabulary > length"),
    (lambda o: o.keys > o.vocabulary // 2 - 1, "needs keys <= vocabulary / 2 - 1"),
    (lambda o: o.writes != 1, "writes every key once: set writes = 1"),
)
_OVERWRITE: tuple[_Rule, ...] = (
    (lambda o: not 1 <= o.queries <= o.keys, "needs 1 <= length - 2 * keys * writes <= keys (its number of queries)"),
    (lambda o: o.keys > o.vocabulary // 2 - 1, "needs keys <= vocabulary / 2 - 1"),
    (lambda o: o.keys * o.writes > o.vocabulary - o.vocabulary // 2, "needs keys * writes <= vocabulary / 2"),
    (lambda o: o.fill != "zero", "has no filler: set fill = 'zero'"),
)

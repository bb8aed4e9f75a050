"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError

TASKS = ("overwrite", "mqar")
FILLS = ("zero", "random")


@dataclass(frozen=True, slots=True)
class Options:
    """Task, model and training. Lengths are in tokens, `max_state` in floats per sequence (0: no limit).

    `shuffled` draws the answers anew, so that nothing can be learned: the negative control of the preflight.
    `queries` (derived) is the number of labelled positions of a sequence. Defaults: see README.md, "What was measured".
    """

    task: str = "overwrite"
    length: int = 30
    vocabulary: int = 32
    keys: int = 6
    writes: int = 2
    fill: str = "zero"
    width: int = 32
    layers: int = 1
    batch: int = 16
    steps: int = 400
    held_out: int = 256
    warmup: float = 0.1
    clip: float = 1.0
    weight_decay: float = 0.01
    max_state: int = 0
    shuffled: bool = False

    @classmethod
    def parse(cls, given: Setting) -> Options:
        """Options from a study's mapping; missing keys get their defaults. Raises StudyError naming the key."""
        known = {field.name: type(field.default) for field in fields(cls)}
        if unknown := sorted(set(given) - set(known)):
            raise StudyError(f"options.{unknown[0]}: unknown to the recall arena; choose from {', '.join(known)}")
        for name, value in given.items():
            wanted: tuple[type, ...] = (float, int) if known[name] is float else (known[name],)
            if type(value) not in wanted:
                raise StudyError(f"options.{name}: must be {known[name].__name__}, not {value!r}")
        options = cls(**given)  # type: ignore[arg-type]  # the loop above checked every type
        options.check()
        return options

    @property
    def queries(self) -> int:
        """Labelled positions of one sequence."""
        return self.keys if self.task == "mqar" else self.length - 2 * self.keys * self.writes

    def check(self) -> None:
        """Raise StudyError when values are out of range or contradict each other."""
        _choice("task", self.task, TASKS)
        _choice("fill", self.fill, FILLS)
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise StudyError(f"options.{name}: cannot be {value}; allowed are {low} to {high}")
        for broken, message in _MQAR if self.task == "mqar" else _OVERWRITE:
            if broken(self):
                got = ", ".join(f"{name} = {getattr(self, name)!r}" for name in _SHAPE)
                raise StudyError(f"options.task: {self.task!r} {message}; got {got}")


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("length", 2, 4096),
    ("vocabulary", 8, 65536),
    ("keys", 1, 1024),
    ("writes", 1, 64),
    ("width", 4, 1024),
    ("layers", 1, 8),
    ("batch", 1, 1024),
    ("steps", 1, 1_000_000),
    ("held_out", 1, 65536),
    ("warmup", 0.0, 1.0),
    ("clip", 1e-6, 1e9),
    ("weight_decay", 0.0, 1.0),
    ("max_state", 0, 1 << 40),
)

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


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise StudyError(f"options.{name}: cannot be {value!r}; choose from {', '.join(allowed)}")

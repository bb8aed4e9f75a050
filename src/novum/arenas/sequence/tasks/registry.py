"""The tasks by name, and a task from a study's table of options."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from novum.arenas.sequence.tasks.compositional_mqar import CompositionalMqar
from novum.arenas.sequence.tasks.compression import Compression
from novum.arenas.sequence.tasks.copying import Palindrome, SelectiveCopying
from novum.arenas.sequence.tasks.fuzzy_recall import FuzzyInContextRecall
from novum.arenas.sequence.tasks.hidden_markov import HiddenMarkov
from novum.arenas.sequence.tasks.in_context_recall import InContextRecall, NoisyInContextRecall
from novum.arenas.sequence.tasks.markov_chain import MarkovChain
from novum.arenas.sequence.tasks.memorization import Memorization
from novum.arenas.sequence.tasks.mqar import Mqar
from novum.arenas.sequence.tasks.needle import Needle
from novum.arenas.sequence.tasks.overwrite import Overwrite
from novum.arenas.sequence.tasks.random_walk import RandomWalk
from novum.arenas.sequence.tasks.stacks import Stacks
from novum.arenas.sequence.tasks.state_tracking import ModularArithmetic, Parity, PermutationProduct
from novum.arenas.sequence.tasks.stdlib_bytes import StdlibBytes
from novum.arenas.sequence.tasks.task import Varied
from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.options import parse_options

TASKS: Mapping[str, type[Varied]] = MappingProxyType(
    {
        "mqar": Mqar,
        "overwrite": Overwrite,
        "compositional_mqar": CompositionalMqar,
        "in_context_recall": InContextRecall,
        "noisy_in_context_recall": NoisyInContextRecall,
        "fuzzy_in_context_recall": FuzzyInContextRecall,
        "selective_copying": SelectiveCopying,
        "compression": Compression,
        "memorization": Memorization,
        "parity": Parity,
        "modular_arithmetic": ModularArithmetic,
        "permutation_product": PermutationProduct,
        "stacks": Stacks,
        "palindrome": Palindrome,
        "needle": Needle,
        "random_walk": RandomWalk,
        "markov_chain": MarkovChain,
        "hidden_markov": HiddenMarkov,
        "stdlib_bytes": StdlibBytes,
    }
)
"""What a study can call a task."""


def make_task(name: str, options: Setting) -> Varied:
    """The task of that name with those options. Raises StudyError that says which names and options there are."""
    if name not in TASKS:
        raise StudyError(f"there is no task {name!r}; choose from {', '.join(TASKS)}")
    return parse_options(TASKS[name], options, f"the task {name}")

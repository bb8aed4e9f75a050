"""The language of regret minimisers."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.regret.options import Options
from novum.symbolic.operations import OPERATIONS
from novum.symbolic.program_language import Component, Language

LEFT_OUT = {"exp_s", "norm_v", "sign_v", "sign_s"}


@lru_cache(maxsize=16)
def language(options: Options) -> Language:
    """Registers of one information set: r instantaneous regrets, p the policy that was played, t the iteration.

    w are the next policy's weights before clipping and normalising, s the weight of the present policy in the average.
    All others are free and begin at zero.
    """
    return Language(
        ("t", "s", "a", "b", "c"),
        ("r", "p", "w", "R", "u", "m"),
        (),
        (
            Component("update", options.update, ("r", "t", "p")),
            Component("policy", options.policy, ("t",), ("w",)),
            Component("average", options.average, ("t",), ("s",)),
        ),
        tuple(one.name for one in OPERATIONS if "m" not in one.result + one.operands and one.name not in LEFT_OUT),
    )

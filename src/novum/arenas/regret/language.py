"""The language of regret minimisers."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.regret.options import Options
from novum.symbolic.chosen_operations import chosen_operations
from novum.symbolic.operations import BY_NAME, OPERATIONS
from novum.symbolic.program_language import Component, Language

FEW = "const add_s sub_s mul_s div_s max_s sqrt_s sum_v add_v sub_v mul_v relu_v step_v scale_v fill_v"
"""Of the published rules and a few beside: the only function of regrets is the part above zero, and its sign."""
LEFT_OUT = {"exp_s", "norm_v", "sign_v", "sign_s"}
MORE = tuple(one.name for one in OPERATIONS if "m" not in one.result + one.operands and one.name not in LEFT_OUT)
GROUPS = {"few": tuple(FEW.split()), "more": MORE}


@lru_cache(maxsize=16)
def language(options: Options) -> Language:
    """Registers of one information set: r instantaneous regrets, p the policy that was played, t the iteration.

    w are the next policy's weights before clipping and normalising, zero again before each update, so that what a rule
    remembers is not what it plays; s is the weight of the present policy in the average. All others are free and begin
    at zero.
    """
    return Language(
        ("t", "s", "a", "b", "c"),
        ("r", "p", "w", "R", "u", "m"),
        (),
        (
            Component("update", options.update, ("r", "t", "p", "w")),
            Component("policy", options.policy, ("t",), ("w",)),
            Component("average", options.average, ("t",), ("s",)),
        ),
        chosen_operations(options.operations, GROUPS, [BY_NAME[name] for name in MORE]),
    )

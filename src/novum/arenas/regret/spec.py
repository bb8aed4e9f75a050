"""The arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict

from novum.arenas.regret.language import language
from novum.arenas.regret.named import RULES
from novum.arenas.regret.options import Options
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    return ArenaSpec(
        name="regret",
        question="Which rule comes nearest to an equilibrium by playing against itself?",
        metric=f"exploitability of the average strategy after {options.iterations} iterations, over the span of "
        "payoffs, geometric mean over games",
        higher_is_better=False,
        resolution=0.01,
        program="novum.arenas.regret.trial",
        group_size=8,
        tuning=({},),
        baseline=RULES["cfr"].genome(),
        requires=("numba",),
        log=True,
        shifted_data=True,
        metrics=(Metric("worst game", False, 0.01, log=True),),
        transfers=_transfers(options),
        controls=Controls(known=RULES["cfr+"].genome(), null_options={"shuffled": True}),
        statements=language(options).genes,
        depends=("novum.symbolic",),
        summary="Rules of a few instructions that turn counterfactual regrets into the next policy, in the manner of "
        "CFR: scored by the exact exploitability of the average strategy in Kuhn poker and random games, confirmed on "
        "larger random games; Leduc hold'em and Goofspiel are sealed.",
    )


def _transfers(options: Options) -> tuple[Transfer, ...]:
    found = (
        Transfer("ten times as many iterations", {"iterations": 10 * options.iterations}),
        Transfer(
            "players take turns" if not options.alternating else "both players at once",
            {"alternating": not options.alternating},
        ),
    )
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the regret arena")
    except StudyError:
        return False
    return True

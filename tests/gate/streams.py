"""Campaigns on synthetic streams, judged by the shipped gate pair by pair. Unit: one sd of a paired difference."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.candidate import Candidate
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Account, Judgement, Pair, Verdict
from novum.gate.evidence import Elond, Recycling, threshold
from novum.gate.judge import BettingGate

Noise = Callable[[random.Random], float]

X, B = Candidate({"side": "x"}), Candidate({"side": "b"})


def gaussian(rng: random.Random) -> float:
    return rng.gauss(0, 1)


def student3(rng: random.Random) -> float:
    chi = sum(rng.gauss(0, 1) ** 2 for _ in range(3))
    return rng.gauss(0, 1) / math.sqrt(chi / 3) / math.sqrt(3)


def beta(rng: random.Random) -> float:
    return (rng.betavariate(201.6, 22.4) - rng.betavariate(201.6, 22.4)) / 0.0283


def rule(settings: GateSettings, stake: float, sigma: float, **changes) -> ConfirmationOpened:
    values = {
        "hypothesis": "h1",
        "attempt": 1,
        "code": "",
        "candidate": X,
        "incumbent": B,
        "candidate_setting": {},
        "incumbent_setting": {},
        "process": settings.process,
        "metric": "",
        "higher_is_better": True,
        "log": False,
        "delta": settings.delta,
        "scale": settings.clip * sigma,
        "sigma": sigma,
        "dmin": settings.dmin * sigma,
        "alpha": settings.alpha,
        "beta": settings.beta,
        "max_pairs": settings.max_pairs,
        "refute_pairs": settings.refute_pairs,
        "position": 1,
        "stake": stake,
        "cash": 1 - stake,
        "threshold": threshold(settings.alpha, stake, 0),
        "guards": (),
        "key_commitment": "",
        "floor": settings.floor,
        "optimism": settings.hope,
        "interval": settings.interval,
    }
    return ConfirmationOpened(**{**values, **changes})


@dataclass
class Campaign:
    """What one campaign accepted."""

    accepted_true: int = 0
    accepted_false: int = 0
    true: dict[float, int] | None = None
    found: dict[float, int] | None = None
    pairs: int = 0
    account: Account = field(default_factory=Account)


def confirm(gate: BettingGate, registered: ConfirmationOpened, discoveries: int, draw: Callable[[], Pair]) -> Judgement:
    """Run one confirmation pair by pair until the gate speaks."""
    pairs: list[Pair] = []
    while True:
        judgement = gate.judge(registered, pairs, len(pairs), discoveries)
        if judgement.verdict:
            return judgement
        pairs.append(draw())


def campaign(
    rng: random.Random,
    settings: GateSettings,
    noise: Noise,
    share: float = 0.0,
    hypotheses: int = 200,
    effects: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0),
) -> Campaign:
    """One campaign: nulls are exact ties when `share` is 0, otherwise half ties and half harmful by 0.5."""
    gate = BettingGate(settings)
    evidence = Recycling(settings) if settings.refunds else Elond(settings)
    calibration = [noise(rng) for _ in range(settings.calibration_pairs)]
    centre = sum(calibration) / len(calibration)
    sigma = math.sqrt(sum((d - centre) ** 2 for d in calibration) / (len(calibration) - 1))
    done = Campaign(true=dict.fromkeys(effects, 0), found=dict.fromkeys(effects, 0))
    for _ in range(hypotheses):
        real = rng.random() < share
        effect = rng.choice(effects) if real else 0.0 if share == 0 or rng.random() < 0.5 else -0.5
        stake = evidence.open(done.account)
        if stake.amount <= 0:
            continue
        registered = rule(settings, stake.amount, sigma)
        judgement = confirm(
            gate, registered, done.account.discoveries, lambda effect=effect: Pair(effect + noise(rng), 0.0)
        )
        accepted = judgement.verdict is Verdict.SUPPORTED
        done.account = evidence.close(
            stake.account, stake.amount, judgement.e_value, judgement.threshold, accepted=accepted
        )
        assert -1e-12 <= done.account.cash <= 1 + 1e-12
        done.pairs += judgement.pairs
        done.accepted_true += accepted and real
        done.accepted_false += accepted and not real
        if real:
            done.true[effect] += 1
            done.found[effect] += accepted
    return done

"""The evidence ledger: what an acceptance costs, over a whole campaign.

plan:     C' = C + kept;  kept = C' / 50, C = C' - kept, for the next K confirmations (H = the last of them)
open j:   stake w = C / max(H - j + 1, hmin);  C -= w
accept j: when E >= T = 1 / (alpha w (R + 1)), with the current number R of acceptances
close j:  accepted: R += 1, C += w min(1, E - T);  else: C += w min(1, E)

Then E[sup FDP] <= alpha for any proposer, any number of tests and any stopping (proof: docs/trust.md). Without refunds
and with stakes 1/H it is e-LOND (Xu & Ramdas, AISTATS 2024, arXiv 2311.06412).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from novum.core.engine.evidence_plan import LONG
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Account, Stake


def threshold(alpha: float, stake: float, discoveries: int) -> float:
    """T = 1 / (alpha w (R + 1)) for a positive stake."""
    return 1.0 / (alpha * stake * (discoveries + 1))


@dataclass(frozen=True)
class Recycling:
    """Stakes from the cash at hand, refunds at closing."""

    settings: GateSettings

    def open(self, account: Account) -> Stake:
        """The stake of the next confirmation; 0 after the last one that was planned for."""
        position = account.opened + 1
        left = (account.horizon or self.settings.planned or LONG) - position + 1
        divisor = max(left, account.least or self.settings.stake_floor)
        amount = 0.0 if account.least == 1 and left < 1 else account.cash / divisor
        return Stake(amount, replace(account, cash=account.cash - amount, opened=position))

    def close(self, account: Account, stake: float, e_value: float, bar: float, *, accepted: bool) -> Account:
        """The account after a confirmation ended with `e_value` against the threshold `bar`."""
        refund = stake * min(1.0, e_value - bar if accepted else e_value)
        return replace(account, cash=account.cash + refund, discoveries=account.discoveries + accepted)


@dataclass(frozen=True)
class Elond:
    """Plain e-LOND: the first H confirmations stake 1/H each, nothing comes back, later ones cannot be supported."""

    settings: GateSettings

    def open(self, account: Account) -> Stake:
        """The stake of the next confirmation; 0 after H of them."""
        position, planned = account.opened + 1, self.settings.planned or LONG
        amount = 1.0 / planned if position <= planned else 0.0
        return Stake(amount, replace(account, cash=max(0.0, account.cash - amount), opened=position))

    def close(self, account: Account, stake: float, e_value: float, bar: float, *, accepted: bool) -> Account:  # noqa: ARG002 one shape for both rules
        """The account after a confirmation ended: only acceptances count."""
        return replace(account, discoveries=account.discoveries + accepted)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from online_fdr.core.abstract.abstract_gamma_seq import AbstractGammaSequence
from online_fdr.e_values.sequential import ELond

from novum.core.model.study import GateSettings
from novum.core.model.verdict import Account
from novum.gate.evidence import Elond, Recycling, threshold

RULES = [Recycling, Elond]


def test_golden_numbers_of_the_specification():
    ledger = Recycling(GateSettings(alpha=0.10, planned=200, stake_floor=20))
    first = ledger.open(Account())
    assert first.amount == pytest.approx(0.005)
    assert threshold(0.10, first.amount, 0) == pytest.approx(2000)
    rejected = ledger.close(first.account, first.amount, 0.3, 2000.0, accepted=False)
    assert rejected.cash == pytest.approx(0.9965)
    second = ledger.open(rejected)
    accepted = ledger.close(second.account, second.amount, 2600.0, threshold(0.10, second.amount, 0), accepted=True)
    assert (accepted.cash, accepted.discoveries) == (pytest.approx(0.9965), 1)
    third = ledger.open(accepted)
    assert threshold(0.10, third.amount, accepted.discoveries) == pytest.approx(993.477, abs=5e-4)


@pytest.mark.parametrize("rule", RULES)
@given(
    outcomes=st.lists(st.tuples(st.floats(0, 1e9), st.booleans(), st.integers(0, 5)), max_size=60),
    planned=st.integers(1, 50),
    floor=st.integers(1, 30),
)
def test_cash_and_open_stakes_never_exceed_one(rule, outcomes, planned, floor):
    """Any order of opening and closing, several open at once: C + open stakes <= 1, C >= 0, and charges are covered."""
    settings = GateSettings(planned=planned, stake_floor=floor)
    ledger, account, stakes, charged = rule(settings), Account(), [], 0.0
    for e_value, accepted, backlog in outcomes:
        opened = ledger.open(account)
        account = opened.account
        stakes.append((opened.amount, e_value, accepted))
        while len(stakes) > backlog:
            amount, e, wanted = stakes.pop(0)
            if amount <= 0:
                continue
            bar = threshold(settings.alpha, amount, account.discoveries)
            account = ledger.close(account, amount, e, bar, accepted=wanted and e >= bar)
            if wanted and e >= bar:
                charged += 1 / (settings.alpha * account.discoveries)
        assert account.cash >= -1e-12
        assert account.cash + sum(amount for amount, _, _ in stakes) <= 1 + 1e-9


@given(st.lists(st.floats(0, 1e6), max_size=40), st.integers(1, 40))
def test_without_refunds_the_levels_are_those_of_e_lond(values, planned):
    class Equal(AbstractGammaSequence):
        def __init__(self):
            super().__init__()

        def calc_gamma(self, j, **_):
            return 1 / planned if j <= planned else 0.0

    settings = GateSettings(planned=planned, refunds=False)
    oracle, ledger, account = ELond(settings.alpha, Equal()), Elond(settings), Account()
    for value in values:
        stake = ledger.open(account)
        rejected = oracle.test_one(value)
        accepted = False
        if stake.amount > 0:
            bar = threshold(settings.alpha, stake.amount, account.discoveries)
            assert 1 / bar == pytest.approx(oracle.current_level)
            accepted = value >= bar
            account = ledger.close(stake.account, stake.amount, value, bar, accepted=accepted)
        else:
            account = stake.account
        assert accepted == rejected


def test_a_refund_never_pays_more_than_the_evidence_brought():
    """refund + charge <= w E, the inequality behind the proof."""
    settings = GateSettings(planned=10)
    ledger = Recycling(settings)
    for e_value in (0.0, 0.4, 1.0, 50.0, 100.0, 100.5, 101.0, 1e6):
        stake = ledger.open(Account())
        bar = threshold(settings.alpha, stake.amount, 0)
        accepted = e_value >= bar
        after = ledger.close(stake.account, stake.amount, e_value, bar, accepted=accepted)
        refund = after.cash - stake.account.cash
        assert refund + (stake.amount * bar if accepted else 0.0) <= stake.amount * e_value + 1e-12

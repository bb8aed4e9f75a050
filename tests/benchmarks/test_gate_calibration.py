"""The calibration benchmark: its vectorised gate is the shipped one, its figures are sound, its checks have teeth."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import gate_calibration  # noqa: E402
from calibration import registry, vector_gate  # noqa: E402
from calibration.checks import complaints  # noqa: E402
from calibration.noise import NOISES  # noqa: E402
from calibration.novum_rules import real_pairs  # noqa: E402
from calibration.others import Bootstrap  # noqa: E402
from calibration.runs import Plan, draw_block, rows  # noqa: E402
from calibration.stream import Stream  # noqa: E402
from streams import rule  # noqa: E402

from novum.core.model.study import GateSettings  # noqa: E402
from novum.core.model.verdict import Account, Estimand, Pair, Verdict  # noqa: E402
from novum.gate.evidence import Elond, Recycling, threshold  # noqa: E402
from novum.gate.judge import BettingGate  # noqa: E402

VERDICTS = {
    vector_gate.SUPPORTED: Verdict.SUPPORTED,
    vector_gate.REFUTED: Verdict.REFUTED,
    vector_gate.INCONCLUSIVE: Verdict.INCONCLUSIVE,
}
SPEC = GateSettings(planned=30, stake_floor=20, refute_pairs=0)
VARIANTS = {
    "as specified": SPEC,
    "strict": dataclasses.replace(SPEC, alpha=0.05, refute_pairs=10),
    "lax, short": dataclasses.replace(SPEC, alpha=0.9, planned=3, stake_floor=2, max_pairs=7),
    "refutes far": dataclasses.replace(SPEC, refute_pairs=40, dmin=0.5, beta=0.2, clip=3.0),
    "with a margin": dataclasses.replace(SPEC, delta=0.1, refute_pairs=5),
    "e-LOND": dataclasses.replace(SPEC, refunds=False, planned=20, refute_pairs=10),
    "shipped": GateSettings(),
    "scale-free": dataclasses.replace(SPEC, process="scale-free", refute_pairs=6),
    "symmetric, no floor": dataclasses.replace(SPEC, process="symmetric", floor=0.0),
    "of the mean": dataclasses.replace(SPEC, claim="mean", loss_bound=3.0, refute_pairs=10, max_pairs=12),
}


def shipped(settings, sigma, stream, j, k, account):
    """One confirmation by the shipped classes: judgement, stake and the account after it; None without a stake."""
    evidence = Recycling(settings) if settings.refunds else Elond(settings)
    stake = evidence.open(account)
    if stake.amount <= 0:
        return None, stake.amount, stake.account
    gate, pairs = BettingGate(settings), []
    registered = rule(settings, stake.amount, sigma, threshold=threshold(settings.alpha, stake.amount, 0))
    if settings.claim == "mean":
        loss = max(1.0, settings.loss_bound / registered.scale)
        most = math.ceil(settings.max_pairs * (1 + loss) / 2)
        registered = dataclasses.replace(registered, claim=Estimand.MEAN, loss=loss, floor=0.0, max_pairs=most)
    while not (judgement := gate.judge(registered, pairs, len(pairs), stake.account.discoveries)).verdict:
        which = np.array([k])
        crashed = stream.failed(j, len(pairs), which)
        score = float(stream.observe(j, len(pairs), which)[0])
        pairs.append(Pair(None if crashed is not None and crashed[0] else score, 0.0))
    accepted = judgement.verdict is Verdict.SUPPORTED
    closed = evidence.close(stake.account, stake.amount, judgement.e_value, judgement.threshold, accepted=accepted)
    return judgement, stake.amount, closed


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_vectorised_gate_is_the_shipped_gate(variant, noise):
    """Verdict, pairs, E, threshold, stake and cash of 30 hypotheses in 4 campaigns: 4,200 confirmations in all."""
    settings, campaigns = VARIANTS[variant], 4
    stream = Stream(draw_block(noise, [len(variant), 3], 30, campaigns), 0.3)
    purse = vector_gate.Purse(settings, campaigns)
    accounts = [Account(cash=float(cash), horizon=purse.planned, least=purse.least) for cash in purse.cash]
    sigma = stream.drawn.sigma
    bound = settings.loss_bound or 0.0
    scale = vector_gate.Scale(sigma, np.maximum(1.0, bound / (settings.clip * sigma)))
    for j in range(stream.hypotheses):
        stream.propose(j)
        stake = purse.open()
        ends = vector_gate.confirm(settings, real_pairs(stream, j), scale, purse.bar(stake))
        stream.learn(j, purse.close(stake, ends), ends.mean, ends.pairs)
        for k in range(campaigns):
            judgement, amount, accounts[k] = shipped(settings, float(sigma[k]), stream, j, k, accounts[k])
            assert amount == pytest.approx(stake[k], rel=1e-9)
            assert accounts[k].cash == pytest.approx(purse.cash[k], rel=1e-9, abs=1e-12)
            assert accounts[k].discoveries == purse.discoveries[k]
            if judgement:
                assert judgement.verdict is VERDICTS[int(ends.verdict[k])]
                assert judgement.pairs == ends.pairs[k]
                assert judgement.e_value == pytest.approx(ends.e_value[k], rel=1e-9)
                assert judgement.threshold == pytest.approx(ends.bar[k], rel=1e-9)
                assert judgement.mean == pytest.approx(ends.mean[k], rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def null_rows():
    names = ["novum-0.10", "novum-0.10-screened", "novum-0.10-refuting", "e-lond-0.10", "keep-if-better"]
    methods = {name: registry.methods(100)[name] for name in names} | registry.broken(100)
    found = rows(Plan(methods, 100, 100, hypotheses=100, noises=("gaussian", "t3", "bounded"), shares=(0.0,)))
    return {(row["noise"], row["method"]): row for row in found}


@pytest.mark.parametrize("noise", ["gaussian", "t3", "bounded"])
def test_the_gate_is_sound_without_true_effects_and_keep_if_better_is_not(null_rows, noise):
    for method in ("novum-0.10", "novum-0.10-screened", "novum-0.10-refuting", "e-lond-0.10"):
        assert complaints(null_rows[noise, method], 0.10) == []
    assert null_rows[noise, "keep-if-better"]["any_false"][0] >= 0.95


@pytest.mark.parametrize("noise", ["gaussian", "t3", "bounded"])
@pytest.mark.parametrize("name", registry.broken(100))
def test_each_broken_gate_is_caught_by_the_check_that_the_real_one_passes(null_rows, noise, name):
    assert complaints(null_rows[noise, name], 0.10)


def test_mixed_streams_reach_the_specified_power_cost_and_honesty():
    """The reference figures, each bound widened by three Monte-Carlo errors."""
    names = ("novum-0.10", "novum-0.10-screened")
    methods = {name: registry.methods(200)[name] for name in names}
    found = rows(Plan(methods, 100, noises=("gaussian",), shares=(0.05, 0.20)))
    for share, at_one, cost, cost_screened in ((0.05, 0.70, 115, 90), (0.20, 0.80, 35, 28)):
        plain, screened = (row for row in found if row["share"] == share)
        assert at_least(plain["power_1"], at_one) and at_least(plain["power_2"], 0.98)
        assert at_most(plain["seeds_per_true_discovery"], cost)
        assert at_most(screened["seeds_per_true_discovery"], cost_screened)
        assert at_most(plain["fdr"], 0.02) and at_most(screened["fdr"], 0.02)
        assert at_most(plain["inflation"], 0.10)
        assert at_least(plain["fresh_bias"], -0.02) and at_most(plain["fresh_bias"], 0.02)


def at_least(figure, bound):
    return figure[0] >= bound - 3 * figure[1]


def at_most(figure, bound):
    return figure[0] <= bound + 3 * figure[1]


def test_the_bootstrap_of_three_keeps_a_quarter_of_the_null_ideas():
    record = Bootstrap()(Stream(draw_block("gaussian", [1], 50, 200), 0.0))
    assert 0.2 < record.accepted.mean() < 0.3


def test_a_rule_meets_the_same_draws_whatever_runs_beside_it():
    alone = rows(Plan({"t5": registry.methods(20)["t5"]}, 30, 50, hypotheses=20, noises=("tied",)))
    among = rows(Plan(registry.methods(20), 30, 50, hypotheses=20, noises=("gaussian", "tied")))
    assert alone == [row for row in among if (row["method"], row["noise"]) == ("t5", "tied")]


def test_json_is_one_object():
    command = [
        sys.executable,
        gate_calibration.__file__,
        "--campaigns",
        "3",
        "--hypotheses",
        "16",
        "--json",
        "--broken",
    ]
    ended = subprocess.run([*command, "--noise", "tied,crash"], capture_output=True, text=True, check=False)
    printed = json.loads(ended.stdout)
    assert set(printed) == {"settings", "rows", "cpu_seconds"} and ended.stderr == "" and ended.returncode == 0
    assert len(printed["rows"]) == 2 * 3 * len(registry.methods(16) | registry.broken(16))
    assert printed["settings"]["campaigns"] == 3


def test_the_table_names_every_method(capsys):
    gate_calibration.main(["--campaigns", "2", "--hypotheses", "8", "--only", "ratchet,novum-0.10", "--share", "0,.2"])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("ratchet") == printed.out.count("novum-0.10") == 2 * len(NOISES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--campaigns", "0"],
        ["--campaigns", "many"],
        ["--seed", "-1"],
        ["--only", "keep-if-best"],
        ["--noise", ""],
        ["--share", "2"],
        ["--share", "a,b"],
        ["--nonsense"],
        ["surplus"],
    ],
)
def test_bad_arguments_give_one_line_and_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        gate_calibration.main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1

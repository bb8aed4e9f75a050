"""The regret arena: games are worth what they are known to be worth, known rules come as near as they are known to."""

import math

import numpy as np
import pytest

from novum.arenas.regret.arena import RegretArena
from novum.arenas.regret.exploitability import best_response, exploitability, value
from novum.arenas.regret.games import goofspiel, kuhn, leduc, played, random_game
from novum.arenas.regret.named import RULES
from novum.arenas.regret.options import Options
from novum.arenas.regret.recognise import behaviour, recognise
from novum.arenas.regret.search import SearchSettings, search
from novum.arenas.regret.solve import average_strategy
from novum.arenas.regret.tree import TERMINAL
from novum.core.model.candidate import Candidate
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup

pytestmark = pytest.mark.slow
SPACE = RegretArena().space
GAMES = {
    "kuhn": kuhn,
    "leduc": leduc,
    "goofspiel": goofspiel,
    "random": lambda: random_game(np.random.default_rng(3), 3, 3, 2),
}


def rule(name):
    return SPACE.program(RULES[name].genome())


def strategy(name, game, **options):
    return average_strategy(rule(name), Options(**options), game)


def some_strategy(game, seed=0):
    weights = np.random.default_rng(seed).random(game.legal.shape) * game.legal
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "worth", "within"), [("kuhn", -1 / 18, 1e-4), ("leduc", -0.0856, 2e-3), ("goofspiel", 0.0, 1e-3)]
)
def test_a_game_is_worth_what_it_is_known_to_be_worth(name, worth, within):
    game = GAMES[name]()
    assert value(game, strategy("cfr+", game, iterations=500)) == pytest.approx(worth, abs=within)


def test_leduc_and_kuhn_have_as_many_information_sets_as_they_are_known_to_have():
    assert (len(kuhn().owner), len(leduc().owner)) == (12, 288)


@pytest.mark.parametrize(("name", "known"), [("cfr", 3.5e-2), ("cfr+", 2.0e-2), ("dcfr", 2.0e-2), ("pcfr+", 3.0e-3)])
def test_exploitability_in_kuhn_poker_is_that_of_a_reference_where_both_players_are_updated_at_once(name, known):
    found = exploitability(kuhn(), strategy(name, kuhn(), alternating=False))
    assert found == pytest.approx(known, rel=0.1)


def test_taking_turns_comes_nearer():
    for name in ("cfr", "cfr+", "dcfr", "pcfr+"):
        turns, once = (exploitability(kuhn(), strategy(name, kuhn(), alternating=one)) for one in (True, False))
        assert turns < once / 3


@pytest.mark.parametrize("name", GAMES)
def test_no_strategy_gains_more_than_the_best_response_and_chances_sum_to_one(name):
    game = GAMES[name]()
    mine = some_strategy(game)
    for seed in range(5):
        other = some_strategy(game, seed + 1)
        mixed = [np.where((game.owner == who)[:, None], other, mine) for who in (0, 1)]
        assert value(game, mixed[0]) <= best_response(game, mine, 0) + 1e-12
        assert -value(game, mixed[1]) <= best_response(game, mine, 1) + 1e-12
    ends = game.kind == TERMINAL
    probability = np.ones(len(game.kind))
    uniform = game.legal / game.actions[:, None]
    for node in range(1, len(game.kind)):
        above = game.parent[node]
        share = uniform[game.info[above], game.action[node]] if game.info[above] >= 0 else game.chance[node]
        probability[node] = probability[above] * share
    assert probability[ends].sum() == pytest.approx(1.0)


def test_the_kernel_plays_what_the_equations_of_cfr_say():
    """Every information set, in plain Python, by the definition of counterfactual regret."""
    game, steps = kuhn(), 6
    regrets, total = np.zeros(game.legal.shape), np.zeros(game.legal.shape)
    for _ in range(steps):
        positive = np.maximum(regrets, 0)
        sums = positive.sum(1, keepdims=True)
        policy = np.where(sums > 0, positive / np.where(sums > 0, sums, 1), 0.5)
        own = np.zeros(len(game.owner))
        gained = np.zeros(game.legal.shape)
        _walk(game, policy, 0, [1.0, 1.0, 1.0], own, gained)
        total += own[:, None] * policy
        regrets += gained
    assert np.allclose(strategy("cfr", game, iterations=steps, alternating=False), total / total.sum(1, keepdims=True))


def _walk(game, policy, node, reach, own, gained):
    children = np.flatnonzero(game.parent == node)
    kind, info = game.kind[node], game.info[node]
    if kind == TERMINAL:
        return game.payoff[node]
    shares = [policy[info, game.action[child]] if info >= 0 else game.chance[child] for child in children]
    values = []
    for child, share in zip(children, shares, strict=True):
        further = list(reach)
        further[kind] *= share
        values.append(_walk(game, policy, child, further, own, gained))
    mean = float(np.dot(shares, values))
    if info >= 0:
        own[info] = reach[kind]
        others = reach[1 - kind] * reach[2]
        gained[info] += (1 if kind == 0 else -1) * others * (np.array(values) - mean)
    return mean


def test_search_gate_and_sealed_games_differ():
    names = {role: [game.name for game in played(Options(), role, 1)] for role in Role}
    assert names == {
        Role.SEARCH: ["kuhn", "random", "random"],
        Role.GATE: ["random", "random"],
        Role.FINAL: ["leduc", "goofspiel", "random"],
    }
    assert len(played(Options(), Role.GATE, 1)[0].kind) > len(played(Options(), Role.SEARCH, 1)[1].kind)


def test_the_lab_scores_strategies_and_refuses_what_is_none():
    from novum.arenas.regret.trial import run

    arena, trial = RegretArena(), Trial("t", 5)
    group = TrialGroup("g", Candidate(arena.space.validate(RULES["cfr+"].genome())), (trial,))
    artefact = run(group)[0].artefact
    found = arena.score(group, trial, artefact)
    assert 0 < found.value < found.others["worst game"] < 0.01
    assert RegretArena(Options(shuffled=True)).score(group, trial, artefact).value > 0.05
    doubled = np.frombuffer(artefact, "<f8") * 2
    with pytest.raises(ArtefactError, match="no probability of each move"):
        arena.score(group, trial, doubled.tobytes())


def test_known_rules_are_recognised_in_other_words_and_others_are_not():
    for name in RULES:
        found = recognise(rule(name), Options())
        assert (found.name, found.verdict) == (name, "exact")
    words = {"update": "u = relu(u); u = u + r", "policy": "w = u + u", "average": "s = t + t"}
    assert recognise(SPACE.program(words), Options()).name == "cfr+"
    other = {"update": "u = u + r; u = abs(u)", "policy": "w = u * u", "average": "s = t + t"}
    assert recognise(SPACE.program(other), Options()).verdict == "other"


def test_policies_are_recognised_whatever_their_average():
    words = {**RULES["pcfr+"].genome(), "average": "s = 1.0"}
    found = recognise(SPACE.program(words), Options())
    assert found.names == ["policies of pcfr+"]
    assert "policies of pcfr+" in found.words
    assert recognise(rule("cfr+"), Options()).names == ["cfr+", "policies of cfr+"]


def test_what_was_played_is_not_remembered():
    """Weights are zero again at each update, in the kernel and in the recogniser."""
    stored, plain = (
        {"update": text, "policy": "w = relu(R)", "average": "s = 1.0"} for text in ("R = r + w", "R = max(r, r)")
    )
    one, other = (average_strategy(SPACE.program(each), Options(iterations=9), kuhn()) for each in (stored, plain))
    assert np.allclose(one, other)
    values = np.random.default_rng(1).normal(size=(5, 3, 8))
    assert np.allclose(*(behaviour(SPACE.program(each), Options(), values)[0] for each in (stored, plain)))


def test_few_operations_are_enough_for_the_published_policies():
    space = RegretArena(Options(operations="few")).space
    for one in RULES.values():
        space.validate(one.genome())


def test_the_interpreter_and_the_kernel_play_the_same_policies():
    values = np.random.default_rng(1).normal(size=(5, 3, 8))
    policies, weights = behaviour(rule("cfr+"), Options(), values)
    assert np.allclose(policies.sum(1), 1.0)
    assert np.allclose(weights, (np.arange(1, 6) / 15)[:, None])


def test_a_short_search_improves_on_cfr():
    options = Options(iterations=40)
    start = rule("cfr")
    found = search(options, 1, SearchSettings(start=start), 4.0)
    games = played(options, Role.GATE, 7)
    best, first = (
        math.prod(exploitability(game, average_strategy(one, options, game)) for game in games)
        for one in (found.program, start)
    )
    assert best < first

"""A rule plays a game against itself, compiled: values, regrets, the average, and the rule in every information set.

LANES information sets lie side by side in a memory of their own; each group belongs to one player.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled
from novum.symbolic.kernel import L, execute

R, P, W, T, S, SCRATCH, SIZE = range(7)
"""What the places of `where` hold: addresses of regrets, policy, weights, iteration, averaging weight and scratch."""
LANES = int(L)
LARGEST = 1e300


@compiled
def traverse(tree: Any, policy: Any, reach: Any, found: Any, gains: Any, own: Any) -> None:
    """Values of all nodes, counterfactual values gains[information set, move], and own[information set] reach.

    reach: (nodes, 3) of player 0, player 1 and chance.
    """
    kind, info, parent, action, chance, payoff = tree
    reach[0, 0] = reach[0, 1] = reach[0, 2] = 1.0
    found[0] = payoff[0]
    for node in range(1, len(kind)):
        above = parent[node]
        for who in range(3):
            reach[node, who] = reach[above, who]
        if kind[above] < 2:
            reach[node, kind[above]] *= policy[info[above], action[node]]
            own[info[above]] = reach[above, kind[above]]
        else:
            reach[node, 2] *= chance[node]
        found[node] = payoff[node]
    for j in range(gains.shape[0]):
        for move in range(gains.shape[1]):
            gains[j, move] = 0.0
    for back in range(len(kind) - 1):
        node = len(kind) - 1 - back
        above = parent[node]
        who = kind[above]
        if who < 2:
            sign = 1.0 if who == 0 else -1.0
            gains[info[above], action[node]] += sign * reach[above, 1 - who] * reach[above, 2] * found[node]
            found[above] += policy[info[above], action[node]] * found[node]
        else:
            found[above] += chance[node] * found[node]


@compiled
def offer(cells: Any, where: Any, group: int, sets: Any, gains: Any, policy: Any, actions: Any, t: float) -> None:
    """Regrets, policy and iteration into the memory of a group."""
    for lane in range(LANES):
        one = sets[group, lane]
        if one >= 0:
            mean = 0.0
            for move in range(actions[one]):
                mean += policy[one, move] * gains[one, move]
            for move in range(actions[one]):
                cells[where[R] + np.uint64(move) * L + np.uint64(lane)] = gains[one, move] - mean
                cells[where[P] + np.uint64(move) * L + np.uint64(lane)] = policy[one, move]
        cells[where[T] + np.uint64(lane)] = t


@compiled
def clear(cells: Any, where: Any) -> None:
    """The weights at zero."""
    for j in range(where[SIZE] * L):
        cells[where[W] + j] = 0.0


@compiled
def adopt(cells: Any, where: Any, group: int, sets: Any, policy: Any, actions: Any) -> None:
    """The policy from the weights: clipped at 0 and normalised; uniform where none is positive."""
    for lane in range(LANES):
        one = sets[group, lane]
        if one < 0:
            continue
        total = 0.0
        for move in range(actions[one]):
            x = cells[where[W] + np.uint64(move) * L + np.uint64(lane)]
            policy[one, move] = x if 0.0 < x < LARGEST else 0.0
            total += policy[one, move]
        for move in range(actions[one]):
            policy[one, move] = policy[one, move] / total if 0.0 < total < LARGEST else 1.0 / actions[one]


@compiled
def weigh(cells: Any, where: Any, group: int, sets: Any, policy: Any, own: Any, average: Any) -> None:
    """Add the present policy to the average, by its weight (clipped at 0) and the player's own reach."""
    for lane in range(LANES):
        one = sets[group, lane]
        if one >= 0:
            s = cells[where[S] + np.uint64(lane)]
            for move in range(policy.shape[1]):
                average[one, move] += (s if s > 0.0 or s != s else 0.0) * own[one] * policy[one, move]


@compiled
def play(
    cells: Any, code: Any, where: Any, tree: Any, sets: Any, owner: Any, actions: Any, buffers: Any, plan: Any
) -> None:
    """Iterations plan[0] to plan[1]; plan[2]: players take turns.

    cells: (groups, memory). sets: (groups, LANES) information sets, -1 for none; owner: (groups). buffers: policy,
    average, reach, values, gains, own reach; the policy is the one to begin with.
    """
    words, constants, bounds = code
    policy, average, reach, found, gains, own = buffers
    n, scratch = where[SIZE], where[SCRATCH]
    for t in range(plan[0], plan[1]):
        for turn in range(2 if plan[2] else 1):
            traverse(tree, policy, reach, found, gains, own)
            for group in range(len(sets)):
                if plan[2] and owner[group] != turn:
                    continue
                memory = cells[group]
                offer(memory, where, group, sets, gains, policy, actions, float(t))
                execute(memory, words, constants, bounds[2], bounds[3], n, scratch)
                weigh(memory, where, group, sets, policy, own, average)
                offer(memory, where, group, sets, gains, policy, actions, float(t))
                clear(memory, where)
                execute(memory, words, constants, bounds[0], bounds[1], n, scratch)
                for lane in range(LANES):
                    memory[where[T] + np.uint64(lane)] = float(t)
                execute(memory, words, constants, bounds[1], bounds[2], n, scratch)
                adopt(memory, where, group, sets, policy, actions)

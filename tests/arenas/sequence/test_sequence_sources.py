"""Sources of known entropy: the number against estimates that share nothing with how it was computed."""

import numpy as np
import pytest
from scipy import stats

from novum.arenas.sequence.tasks.hidden_markov import HiddenMarkov, _source
from novum.arenas.sequence.tasks.markov_chain import MarkovChain
from novum.arenas.sequence.tasks.markov_chain import _source as markov_source
from novum.arenas.sequence.tasks.random_walk import RandomWalk
from novum.core.model.trial import Role


def walked(task, rows, seed=1):
    """All T+1 nodes of each walk."""
    batch = task.batch(np.random.default_rng(seed), rows)
    return np.concatenate([batch.tokens, batch.answers[:, -1:]], axis=1)


def seen_edges(task):
    """The graph as the walks show it."""
    nodes = walked(task, 30_000)
    edges = np.zeros((task.nodes, task.nodes), dtype=bool)
    edges[nodes[:, :-1], nodes[:, 1:]] = True
    return edges


def entropy_by_power_iteration(step):
    """Entropy rate of a chain with these transition probabilities, without solving or counting edges."""
    share = np.full(len(step), 1 / len(step))
    for _ in range(4000):
        share = 0.5 * share + 0.5 * share @ step  # lazy, so that it converges on a bipartite graph too
    logs = np.log(step, out=np.zeros_like(step), where=step > 0)
    return -float(share @ (step * logs).sum(axis=1))


def plug_in_entropy(counts):
    """Conditional entropy of the column given the row, with Miller and Madow's correction of its bias."""
    total, rows = counts.sum(), counts.sum(axis=1)
    cells, contexts = counts[counts > 0] / total, rows[rows > 0] / total
    plain = -(cells @ np.log(cells)) + contexts @ np.log(contexts)
    return plain + (len(cells) - len(contexts)) / (2 * total)


@pytest.mark.parametrize("task", [RandomWalk(), RandomWalk(nodes=40, mean_degree=3.0, source_seed=5)], ids=str)
def test_entropy_of_the_walk_is_that_of_the_graph_that_it_shows(task):
    edges = seen_edges(task)
    assert (edges == edges.T).all()
    assert not edges.diagonal().any()
    inside = edges.any(axis=1)
    step = edges[np.ix_(inside, inside)] / edges[inside].sum(axis=1, keepdims=True)
    assert task.entropy == pytest.approx(entropy_by_power_iteration(step), abs=1e-9)


def test_the_default_graph_has_mean_degree_8_and_2_145_nats():
    degrees = seen_edges(RandomWalk()).sum(axis=1)
    assert abs(degrees.mean() - 8) < 4 * np.sqrt(2 * 8 / 256)  # 2E / n, E binomial
    assert RandomWalk().entropy == pytest.approx(2.14525, abs=1e-5)


def test_the_walk_is_stationary_and_goes_to_each_neighbour_equally_often():
    task = RandomWalk(nodes=30, mean_degree=4.0, length=16)
    nodes = walked(task, 60_000)
    degrees = seen_edges(task).sum(axis=1)
    share = degrees / degrees.sum()
    for place in (0, 1, 16):
        found = np.bincount(nodes[:, place], minlength=30) / len(nodes)
        np.testing.assert_allclose(found, share, atol=5 * np.sqrt(share.max() / len(nodes)))
    counts = np.zeros((30, 30))
    np.add.at(counts, (nodes[:, :-1], nodes[:, 1:]), 1)
    assert plug_in_entropy(counts) == pytest.approx(task.entropy, abs=3e-3)
    for node in np.flatnonzero(degrees):
        chance = counts[node][counts[node] > 0] / counts[node].sum()
        np.testing.assert_allclose(chance, 1 / degrees[node], atol=5 * np.sqrt(0.25 / counts[node].sum()))


def test_only_the_largest_component_is_walked():
    task = RandomWalk(nodes=60, mean_degree=1.2, source_seed=2)
    edges = seen_edges(task)
    inside = edges.any(axis=1)
    assert 2 <= inside.sum() < 60
    reached = np.eye(60, dtype=bool)[np.argmax(inside)]
    for _ in range(60):
        reached |= edges[reached].any(axis=0)
    assert (reached == inside).all()


MARKOV = [MarkovChain(), MarkovChain(48, 3, 4, 1.0, 3), MarkovChain(64, 16, 1, 0.1, 8), MarkovChain(64, 2, 10, 1.0, 1)]


@pytest.mark.parametrize("task", MARKOV, ids=str)
def test_entropy_of_a_chain_is_the_loss_of_its_own_table(task):
    batch = task.batch(np.random.default_rng(2), 4000)
    table = markov_source(task.vocabulary, task.order, task.concentration, task.source_seed).follows
    losses = []
    for place in range(task.order - 1, task.length):
        word = np.zeros(4000, dtype=int)
        for back in range(task.order - 1, -1, -1):
            word = word * task.vocabulary + batch.tokens[:, place - back]
        losses.append(-np.log(table[word, batch.answers[:, place]]))
    assert batch.scored.tolist() == [[place >= task.order - 1 for place in range(task.length)]] * 4000
    rows = np.mean(losses, axis=0)
    assert rows.mean() == pytest.approx(task.entropy, abs=4.5 * rows.std() / np.sqrt(len(rows)))
    first, last = losses[0], losses[-1]  # stationary from the first scored token on
    assert first.mean() == pytest.approx(task.entropy, abs=4.5 * first.std() / np.sqrt(len(first)))
    assert last.mean() == pytest.approx(task.entropy, abs=4.5 * last.std() / np.sqrt(len(last)))


@pytest.mark.parametrize("task", MARKOV[:3], ids=str)
def test_entropy_of_a_chain_is_that_of_counted_words(task):
    """From the tokens alone, and by power iteration over the counted table."""
    nodes = walked(task, 12_000)
    words = np.zeros((len(nodes), task.length + 1 - task.order), dtype=int)
    for place in range(task.order):
        words = words * task.vocabulary + nodes[:, place : place + words.shape[1]]
    counts = np.zeros((task.vocabulary**task.order, task.vocabulary))
    np.add.at(counts, (words, nodes[:, task.order :]), 1)
    assert plug_in_entropy(counts) == pytest.approx(task.entropy, abs=4e-3)
    table = markov_source(task.vocabulary, task.order, task.concentration, task.source_seed).follows
    step = np.zeros((len(table), len(table)))
    for word in range(len(table)):
        for symbol in range(task.vocabulary):
            step[word, (word * task.vocabulary + symbol) % len(table)] = table[word, symbol]
    share = np.full(len(table), 1 / len(table))
    for _ in range(4000):
        share = share @ step
    assert task.entropy == pytest.approx(-float(share @ (table * np.log(table)).sum(axis=1)), abs=1e-9)
    assert task.chance == pytest.approx((share @ table).max(), abs=1e-9)


HIDDEN = [HiddenMarkov(), HiddenMarkov(40, 5, 3, "permutations", 1.0, 4), HiddenMarkov(30, 1, 4)]


def forward_losses(task, tokens, answers):
    """Negative log-likelihoods by the forward algorithm, with a belief over states that nothing says is certain."""
    source = _source(task.states, task.symbols, task.transitions, task.concentration, task.source_seed)
    joint = np.zeros((task.symbols, task.states, task.states))  # P(x, s' | s)
    for state in range(task.states):
        for symbol in range(task.symbols):
            joint[symbol, state, source.follows[state, symbol]] = source.emits[state, symbol]
    belief = np.eye(task.states)[tokens[:, 0] - task.symbols]
    losses = np.empty(answers.shape)
    for place in range(task.length):
        after = np.einsum("bs,bsn->bn", belief, joint[answers[:, place]])
        likelihood = after.sum(axis=1)
        losses[:, place] = -np.log(likelihood)
        belief = after / likelihood[:, None]
    assert (np.isclose(belief, 0) | np.isclose(belief, 1)).all()  # unifilar: the past says the state
    return losses


@pytest.mark.parametrize("task", HIDDEN, ids=str)
def test_entropy_of_a_hidden_chain_is_the_loss_of_the_forward_algorithm(task):
    batch = task.batch(np.random.default_rng(2), 4000)
    assert (batch.tokens[:, 0] >= task.symbols).all()
    assert (batch.tokens[:, 1:] < task.symbols).all()
    begun = np.bincount(batch.tokens[:, 0] - task.symbols, minlength=task.states)
    share = _source(task.states, task.symbols, task.transitions, task.concentration, task.source_seed).share
    assert task.states == 1 or stats.chisquare(begun, share * len(batch.tokens)).pvalue > 1e-6
    losses = forward_losses(task, batch.tokens, batch.answers)
    for part in (losses.mean(axis=1), losses[:, 0], losses[:, -1]):
        assert part.mean() == pytest.approx(task.entropy, abs=4.5 * part.std() / np.sqrt(len(part)))


def test_a_few_symbols_do_not_say_as_much_as_the_state():
    """Given the last two symbols alone, permutations leave more uncertain than the entropy."""
    task = HiddenMarkov(40, 5, 3, "permutations", 1.0, 4)
    batch = task.batch(np.random.default_rng(2), 6000)
    words = batch.tokens[:, 20:-1] * 3 + batch.tokens[:, 21:]
    counts = np.zeros((9, 3))
    np.add.at(counts, (words, batch.answers[:, 21:]), 1)
    assert plug_in_entropy(counts) > task.entropy + 0.02


@pytest.mark.parametrize("transitions", ["random", "permutations"])
def test_every_state_comes_again(transitions):
    source = _source(12, 3, transitions, 0.5, 3)
    state, seen = 0, []
    for _ in range(12):
        state = int(source.follows[state, 0])
        seen.append(state)
    assert sorted(seen) == list(range(12))
    for symbol in range(3):
        images = set(source.follows[:, symbol].tolist())
        assert len(images) == 12 or (transitions == "random" and symbol > 0)
    after = np.zeros(12)
    for state in range(12):
        for symbol in range(3):
            after[source.follows[state, symbol]] += source.share[state] * source.emits[state, symbol]
    np.testing.assert_allclose(after, source.share, atol=1e-12)
    assert source.share.sum() == pytest.approx(1)
    assert source.emits.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("task", [RandomWalk(), MarkovChain(), HiddenMarkov()], ids=lambda one: type(one).__name__)
def test_other_roles_have_other_sources_of_their_own_entropy(task):
    found = {role: task.variant(role) for role in Role}
    assert len({one.entropy for one in found.values()}) == 3
    assert len({one.source_seed for one in found.values()}) == 3
    assert {one.length for one in found.values()} == {task.length}

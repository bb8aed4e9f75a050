"""Adaptation within a context: who reaches the Bayes predictor, and which layers are which learners."""

import numpy as np
import pytest

from novum.arenas.programs.contexts import NOISE, linear_context
from novum.arenas.programs.language import language
from novum.arenas.programs.options import Options
from novum.arenas.programs.score import risk
from novum.arenas.programs.spec import LEAST_SQUARES, STEP
from novum.arenas.programs.tasks import make
from novum.core.model.trial import Role
from novum.symbolic.program_space import ProgramSpace

OPTIONS = Options(task="context", operations="matrices", features=8, examples=64, setup=6, predict=3, learn=20)
HEBB = {"predict": "p = dot(w, x)", "learn": "b = a * y; u = b * x; w = w + u"}


def risks(genome, role=Role.SEARCH, options=OPTIONS):
    """The mean over eight trials of the risk over the Bayes risk."""
    pytest.importorskip("numba")
    from novum.arenas.programs.search import lived

    space = ProgramSpace(language(options))
    program = space.program(space.validate(genome))
    tasks = [make(options, role, seed) for seed in range(8)]
    return float(np.mean([risk(lived(program, options, task), task) for task in tasks]))


def test_the_posterior_mean_is_that_of_ridge_regression_in_closed_form():
    x, y, means, _ = linear_context(np.random.default_rng(0), 30, 5, 4.0)
    for lane in range(3):
        seen, labels = x[:20, :, lane], y[:20, lane]
        w = np.linalg.solve(seen.T @ seen + NOISE**2 * np.eye(5), seen.T @ labels)
        assert means[20, lane] == pytest.approx(w @ x[20, :, lane])


@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.SEARCH, Role.GATE])
def test_recursive_least_squares_reaches_the_bayes_risk_and_the_delta_rule_does_not(role):
    assert risks(LEAST_SQUARES, role) < 1.0001
    delta = min(risks({**STEP, "setup": f"b = {rate}"}, role) for rate in (0.05, 0.1, 0.2, 0.3))
    hebb = min(risks({**HEBB, "setup": f"a = {rate}"}, role) for rate in (0.003, 0.01, 0.03))
    assert 1.3 < delta < hebb


@pytest.mark.slow
def test_no_one_who_sees_features_alone_reaches_the_bayes_risk_of_a_gaussian_process():
    few, many = _functions(8), _functions(32)
    assert 1.0 < risks(LEAST_SQUARES, options=many) < risks(LEAST_SQUARES, options=few)


def _functions(features):
    return Options(
        task="functions", operations="matrices", features=features, examples=64, setup=6, predict=3, learn=20
    )


def layer(core, k, v, q):
    """What a layer reads for a query after it has seen pairs of keys and values."""
    torch = pytest.importorskip("torch")
    from novum.population.forms.form_registry import form_of

    own = {name: torch.from_numpy(one.draw(0, name)[None]).float() for name, one in core.parameters.items()}
    keys, values = np.vstack([k, np.zeros_like(q)]), np.append(v, 0.0)[:, None]
    queries = np.vstack([np.zeros_like(k), q])
    arrays = {"q": queries, "k": keys, "v": values}
    parts = {name: torch.from_numpy(x[None, None]).float() for name, x in arrays.items()}
    return float(form_of(core).mix(own, parts, None)[0, 0, -1, 0])


def test_a_layer_of_linear_attention_is_one_step_of_gradient_descent():
    """Von Oswald et al., arXiv 2212.07677: from w = 0, on the squared error of all pairs."""
    pytest.importorskip("torch")
    from novum.population.mixers.matrix_state import MatrixState

    rng = np.random.default_rng(1)
    x, w, q = rng.normal(size=(20, 6)), rng.normal(size=6), rng.normal(size=6)
    y, rate = x @ w, 0.05
    gradient = -x.T @ (y - x @ np.zeros(6))
    read = layer(MatrixState(1, 6, 1, feature="identity", write="hebb"), x, rate * y, q)
    assert read == pytest.approx((-rate * gradient) @ q, rel=1e-5)

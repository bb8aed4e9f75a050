"""Rewrites for programs of other libraries: settings of estimators that they accept, and texts for optax."""

from __future__ import annotations

import ast
import warnings

import numpy as np
import pytest

from novum.source.rewrites import rewrites

SMALL = {"n_estimators": "3", "max_iter": "3"}
ESTIMATORS = {
    "ensemble": (
        *("RandomForestClassifier", "ExtraTreesRegressor", "HistGradientBoostingClassifier"),
        *("HistGradientBoostingRegressor", "GradientBoostingClassifier", "GradientBoostingRegressor"),
    ),
    "neighbors": ("KNeighborsClassifier", "KNeighborsRegressor"),
    "svm": ("SVC", "SVR", "LinearSVC"),
    "neural_network": ("MLPClassifier", "MLPRegressor"),
    "linear_model": (
        *("SGDClassifier", "SGDRegressor", "LogisticRegression", "Ridge", "RidgeClassifier", "Lasso", "ElasticNet"),
    ),
    "tree": ("DecisionTreeClassifier", "DecisionTreeRegressor"),
}
CASES = [(module, name) for module, names in ESTIMATORS.items() for name in names]
X = np.random.RandomState(0).randn(40, 4)
Y = (X[:, 0] > 0).astype(int)


def script(module: str, name: str) -> str:
    small = next((f"{key}={value}" for key, value in SMALL.items() if accepts(module, name, key)), "")
    return f"from sklearn.{module} import {name}\n\nmodel = {name}({small})\n"


def accepts(module: str, name: str, key: str) -> bool:
    made: dict[str, type] = {}
    exec(f"from sklearn.{module} import {name}", made)
    return key in made[name]().get_params()


@pytest.mark.parametrize(("module", "name"), CASES)
def test_every_setting_of_an_estimator_is_accepted_and_new(module, name):
    text = script(module, name)
    found = [one for one in rewrites(text, "fit.py") if one.operator == "rewrite.settings"]
    assert found
    plain: dict[str, object] = {}
    exec(text, plain)
    for one in found:
        made: dict[str, object] = {}
        exec(one.apply(text), made)
        assert made["model"].get_params() != plain["model"].get_params(), one.words
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made["model"].fit(X, Y)
        again = [other.note for other in rewrites(one.apply(text), "fit.py") if other.operator == "rewrite.settings"]
        assert one.note not in again


def test_a_part_of_two_settings_that_is_there_already_is_kept():
    text = "from sklearn.neighbors import KNeighborsClassifier\nmodel = KNeighborsClassifier(n_neighbors=3)\n"
    made = [one.apply(text) for one in rewrites(text, "fit.py") if one.operator == "rewrite.settings"]
    assert text.replace("=3", '=3, weights="distance"') in made


OPTAX = """\
import jax
import jax.numpy as jnp
import optax

STEPS = 50
tx = optax.adam(1e-3)


@jax.jit
def update(params, state, x):
    grads = jax.grad(lambda p: ((p - x) ** 2).sum())(params)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state


params = jnp.zeros(3)
state = tx.init(params)
for step in range(STEPS):
    params, state = update(params, state, jnp.ones(3))
print("loss", float(((params - 1) ** 2).sum()))
"""


def test_programs_with_optax_get_other_optimisers_schedules_and_clipping():
    found = [one for one in rewrites(OPTAX, "train.py") if one.operator != "rewrite.longer"]
    assert {one.operator for one in found} == {f"rewrite.{name}" for name in ("betas", "clip", "optimiser", "schedule")}
    made = [one.apply(OPTAX) for one in found]
    assert all(ast.parse(text) for text in made)
    lines = {line for text in made for line in text.splitlines() if line.startswith("tx = ")}
    assert "tx = optax.adam(optax.warmup_cosine_decay_schedule(0.0, 1e-3, max(1, STEPS // 20), STEPS))" in lines
    assert "tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))" in lines
    assert "tx = optax.sgd(0.02, momentum=0.9, nesterov=True)" in lines
    for one, text in zip(found, made, strict=True):
        assert one.note not in {other.note for other in rewrites(text, "train.py")}


def test_a_schedule_needs_to_see_the_number_of_steps():
    for text in (OPTAX.replace("STEPS = 50\n", ""), OPTAX.replace("range(STEPS)", "forever()")):
        assert "rewrite.schedule" not in {one.operator for one in rewrites(text, "train.py")}

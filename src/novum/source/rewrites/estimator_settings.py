"""Other settings for estimators of scikit-learn, at about the same cost."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from novum.source.program_text import Mutation, Program, terminal
from novum.source.rewrites.library_names import keyword, plain, with_keyword

Settings = tuple[tuple[str, str], ...]

_FOREST: tuple[Settings, ...] = (
    (("min_samples_leaf", "2"),),
    (("min_samples_leaf", "5"),),
    (("max_features", "0.3"),),
    (("max_features", "0.6"),),
    (("max_features", '"sqrt"'),),
    (("max_depth", "None"),),
)
_BOOSTING: tuple[Settings, ...] = (
    (("learning_rate", "0.05"), ("max_leaf_nodes", "31")),
    (("learning_rate", "0.05"), ("max_leaf_nodes", "15")),
    (("learning_rate", "0.2"), ("max_leaf_nodes", "8")),
    (("l2_regularization", "1.0"),),
    (("l2_regularization", "10.0"),),
    (("min_samples_leaf", "5"),),
    (("min_samples_leaf", "50"),),
    (("max_features", "0.5"),),
)
_TREES: tuple[Settings, ...] = (
    (("learning_rate", "0.05"), ("max_depth", "4")),
    (("subsample", "0.5"),),
    (("subsample", "0.8"), ("max_features", "0.5")),
    (("min_samples_leaf", "5"),),
)
_NEIGHBOURS: tuple[Settings, ...] = (
    (("n_neighbors", "1"),),
    (("n_neighbors", "3"), ("weights", '"distance"')),
    (("n_neighbors", "7"), ("weights", '"distance"')),
    (("n_neighbors", "15"), ("weights", '"distance"')),
    (("p", "1"),),
)
_KERNEL: tuple[Settings, ...] = (
    *(((("C", size),)) for size in ("0.3", "3.0", "10.0", "30.0")),
    (("gamma", '"auto"'),),
    (("gamma", "0.01"), ("C", "10.0")),
    (("gamma", "0.001"), ("C", "10.0")),
)
_NETWORK: tuple[Settings, ...] = (
    (("hidden_layer_sizes", "(100,)"),),
    (("hidden_layer_sizes", "(64, 64)"),),
    (("alpha", "0.001"),),
    (("alpha", "0.1"),),
    (("alpha", "1.0"),),
    (("learning_rate_init", "0.003"),),
    (("learning_rate_init", "0.01"),),
    (("batch_size", "64"),),
    (("early_stopping", "False"),),
    (("activation", '"tanh"'),),
    (("beta_2", "0.99"),),
)
_DESCENT: tuple[Settings, ...] = (
    (("learning_rate", '"adaptive"'), ("eta0", "0.1")),
    (("learning_rate", '"adaptive"'), ("eta0", "0.01")),
    (("average", "True"),),
    (("early_stopping", "False"),),
    (("alpha", "0.001"),),
    (("alpha", "0.00001"),),
    (("penalty", '"elasticnet"'),),
)
_LINEAR: tuple[Settings, ...] = (*(((("C", size),)) for size in ("0.03", "0.1", "1.0", "10.0")),)
_RIDGE: tuple[Settings, ...] = (*(((("alpha", size),)) for size in ("0.1", "1.0", "10.0", "100.0")),)
_LASSO: tuple[Settings, ...] = (*(((("alpha", size),)) for size in ("0.001", "0.01", "0.1")),)
_TREE: tuple[Settings, ...] = (
    (("min_samples_leaf", "5"),),
    (("min_samples_leaf", "20"),),
    (("max_depth", "8"),),
    (("ccp_alpha", "0.001"),),
)
_BALANCED: tuple[Settings, ...] = ((("class_weight", '"balanced"'),),)
_HUBER: tuple[Settings, ...] = ((("loss", '"modified_huber"'),), (("loss", '"log_loss"'),))
_SETTINGS: dict[str, tuple[Settings, ...]] = {
    "RandomForestClassifier": (*_FOREST, *_BALANCED),
    "ExtraTreesClassifier": (*_FOREST, *_BALANCED),
    "RandomForestRegressor": _FOREST,
    "ExtraTreesRegressor": _FOREST,
    "HistGradientBoostingClassifier": (*_BOOSTING, *_BALANCED),
    "HistGradientBoostingRegressor": _BOOSTING,
    "GradientBoostingClassifier": _TREES,
    "GradientBoostingRegressor": _TREES,
    "KNeighborsClassifier": _NEIGHBOURS,
    "KNeighborsRegressor": _NEIGHBOURS,
    "SVC": (*_KERNEL, *_BALANCED),
    "SVR": (*_KERNEL, (("epsilon", "0.01"),)),
    "MLPClassifier": _NETWORK,
    "MLPRegressor": _NETWORK,
    "SGDClassifier": (*_DESCENT, *_HUBER, *_BALANCED),
    "SGDRegressor": _DESCENT,
    "LogisticRegression": (*_LINEAR, *_BALANCED),
    "LinearSVC": (*_LINEAR, *_BALANCED),
    "Ridge": _RIDGE,
    "RidgeClassifier": (*_RIDGE, *_BALANCED),
    "Lasso": _LASSO,
    "ElasticNet": _LASSO,
    "DecisionTreeClassifier": (*_TREE, *_BALANCED),
    "DecisionTreeRegressor": _TREE,
}
_DEFAULTS: dict[str | tuple[str, str], str] = {
    "max_features": '"sqrt"',
    "max_depth": "None",
    "early_stopping": "False",
    "C": "1.0",
    "alpha": "1.0",
    "hidden_layer_sizes": "(100,)",
    **{(name, "max_features"): "1.0" for name in ("RandomForestRegressor", "ExtraTreesRegressor")},
    **{(name, "alpha"): "0.0001" for name in ("MLPClassifier", "MLPRegressor", "SGDClassifier", "SGDRegressor")},
}
"""Values that change nothing where a setting is absent, in all estimators or in one."""


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Other settings at each place where an estimator is made."""
    if "sklearn" not in source.text:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and (name := terminal(node.func)) in _SETTINGS and plain(node) and not node.args:
            for settings in _SETTINGS[name]:
                yield _set(source, node, name, settings)


def _set(source: Program, node: ast.Call, name: str, settings: Settings) -> Mutation | None:
    """Settings of one call, those left out that it has already; None when that is all of them."""
    new = [(key, value) for key, value in settings if not _has(node, name, key, value)]
    if not new:
        return None
    given = [(key, value) for key, value in new if keyword(node, key) is None]
    edits = [with_keyword(source, node, key, value) for key, value in new if keyword(node, key) is not None]
    if given:
        edits.append(with_keyword(source, node, given[0][0], given[0][1] + _more(given[1:])))
    words = ", ".join(f"{key} of {name} to {value}" for key, value in new)
    return source.mutation("rewrite.settings", node, f"sets {words}", *edits)


def _more(given: list[tuple[str, str]]) -> str:
    return "".join(f", {key}={value}" for key, value in given)


def _has(node: ast.Call, name: str, key: str, value: str) -> bool:
    there = keyword(node, key)
    if there is None:
        return _DEFAULTS.get((name, key), _DEFAULTS.get(key)) == value
    try:
        return bool(ast.literal_eval(there) == ast.literal_eval(value))
    except ValueError:
        return False

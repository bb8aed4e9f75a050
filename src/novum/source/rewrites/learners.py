"""Rewrites of scikit-learn programs: another estimator, a step before it, an ensemble of it, and their imports.

The library is named in texts only; nothing here imports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from novum.source.program_text import Mutation, Program, terminal
from novum.source.rewrites.imports import import_edit


@dataclass(frozen=True, slots=True)
class _Maker:
    """How an object is made: the module and name to import, and the call."""

    module: str
    call: str

    @property
    def name(self) -> str:
        """The class."""
        return self.call.split("(")[0]


CLASSIFIERS = (
    _Maker("sklearn.svm", 'SVC(C=10.0, gamma="scale", random_state=0)'),
    _Maker("sklearn.ensemble", "ExtraTreesClassifier(n_estimators=200, random_state=0)"),
    _Maker("sklearn.neighbors", 'KNeighborsClassifier(n_neighbors=3, weights="distance")'),
    _Maker("sklearn.linear_model", "LogisticRegression(C=1.0, max_iter=1000)"),
    _Maker("sklearn.discriminant_analysis", 'LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")'),
    _Maker("sklearn.ensemble", "RandomForestClassifier(n_estimators=200, random_state=0)"),
    _Maker("sklearn.discriminant_analysis", "QuadraticDiscriminantAnalysis(reg_param=0.1)"),
    _Maker("sklearn.neural_network", "MLPClassifier(hidden_layer_sizes=(100,), max_iter=500, random_state=0)"),
    _Maker("sklearn.naive_bayes", "GaussianNB(var_smoothing=1e-3)"),
    _Maker("sklearn.ensemble", "HistGradientBoostingClassifier(max_iter=100, random_state=0)"),
    _Maker("sklearn.linear_model", "RidgeClassifier(alpha=1.0)"),
)
REGRESSORS = (
    _Maker("sklearn.ensemble", "ExtraTreesRegressor(n_estimators=200, random_state=0)"),
    _Maker("sklearn.ensemble", "HistGradientBoostingRegressor(max_iter=200, random_state=0)"),
    _Maker("sklearn.svm", 'SVR(C=10.0, gamma="scale")'),
    _Maker("sklearn.kernel_ridge", 'KernelRidge(alpha=0.1, kernel="rbf")'),
    _Maker("sklearn.linear_model", "Ridge(alpha=1.0)"),
    _Maker("sklearn.neighbors", 'KNeighborsRegressor(n_neighbors=5, weights="distance")'),
    _Maker("sklearn.ensemble", "RandomForestRegressor(n_estimators=200, random_state=0)"),
    _Maker("sklearn.gaussian_process", "GaussianProcessRegressor(alpha=1e-2, normalize_y=True, random_state=0)"),
    _Maker("sklearn.linear_model", "BayesianRidge()"),
)
_MORE_CLASSIFIERS = frozenset(
    [
        "NearestCentroid",
        "DecisionTreeClassifier",
        "Perceptron",
        "SGDClassifier",
        "LinearSVC",
        "NuSVC",
        "AdaBoostClassifier",
        "BernoulliNB",
        "GradientBoostingClassifier",
        "PassiveAggressiveClassifier",
        "MultinomialNB",
        "DummyClassifier",
        "ExtraTreeClassifier",
        "RadiusNeighborsClassifier",
        "GaussianProcessClassifier",
        "LogisticRegressionCV",
        "RidgeClassifierCV",
        "ComplementNB",
    ]
)
_MORE_REGRESSORS = frozenset(
    [
        "LinearRegression",
        "Lasso",
        "ElasticNet",
        "SGDRegressor",
        "DecisionTreeRegressor",
        "LinearSVR",
        "NuSVR",
        "AdaBoostRegressor",
        "HuberRegressor",
        "GradientBoostingRegressor",
        "DummyRegressor",
        "LassoCV",
        "RidgeCV",
        "ElasticNetCV",
        "MLPRegressor",
        "TheilSenRegressor",
        "Lars",
    ]
)
_LINEAR = frozenset(
    [
        "LogisticRegression",
        "RidgeClassifier",
        "Ridge",
        "LinearRegression",
        "Lasso",
        "ElasticNet",
        "SGDClassifier",
        "SGDRegressor",
        "LinearSVC",
        "LinearSVR",
        "Perceptron",
        "BayesianRidge",
        "LinearDiscriminantAnalysis",
    ]
)
_STEPS = (
    _Maker("sklearn.preprocessing", "StandardScaler()"),
    _Maker("sklearn.preprocessing", "MinMaxScaler()"),
    _Maker("sklearn.decomposition", "PCA(n_components=0.95, whiten=True, random_state=0)"),
    _Maker("sklearn.preprocessing", "PowerTransformer()"),
    _Maker("sklearn.preprocessing", "Normalizer()"),
)
_FEATURES = (
    _Maker("sklearn.kernel_approximation", "Nystroem(n_components=100, random_state=0)"),
    _Maker("sklearn.preprocessing", "PolynomialFeatures(degree=2)"),
    _Maker("sklearn.preprocessing", "SplineTransformer()"),
)
_PIPELINE = _Maker("sklearn.pipeline", "make_pipeline()")
_NO_CHANCES = frozenset({"RidgeClassifier", "SVC"})
_NAMES = {
    **dict.fromkeys((*_MORE_CLASSIFIERS, *(maker.name for maker in CLASSIFIERS)), CLASSIFIERS),
    **dict.fromkeys((*_MORE_REGRESSORS, *(maker.name for maker in REGRESSORS)), REGRESSORS),
}


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Rewrites at each place where an estimator of scikit-learn is made."""
    if "sklearn" not in source.text:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and (name := terminal(node.func)) in _NAMES:
            yield from _swaps(source, node, name)
            yield from _steps(source, node, name)
            yield from _ensembles(source, node, name)


def _swaps(source: Program, node: ast.Call, name: str) -> Iterator[Mutation | None]:
    for maker in _NAMES[name]:
        if maker.name == name or ("predict_proba" in source.text and maker.name in _NO_CHANCES):
            continue
        note = f"{name} becomes {maker.name}"
        yield _with_imports(source, node, "rewrite.estimator", note, maker.call, (maker,))


def _steps(source: Program, node: ast.Call, name: str) -> Iterator[Mutation | None]:
    parent = source.parents[node]
    piped = isinstance(parent, ast.Call) and terminal(parent.func) == _PIPELINE.name
    there = source.source(parent) if piped and isinstance(parent, ast.Call) else ""
    for maker in (*_STEPS, *(_FEATURES if name in _LINEAR else ())):
        if maker.name in there:
            continue
        text = f"{maker.call}, {source.source(node)}"
        text = text if piped else f"make_pipeline({text})"
        makers = (maker,) if piped else (_PIPELINE, maker)
        yield _with_imports(source, node, "rewrite.step", f"puts {maker.name} before {name}", text, makers)


def _ensembles(source: Program, node: ast.Call, name: str) -> Iterator[Mutation | None]:
    kind = "Classifier" if _NAMES[name] is CLASSIFIERS else "Regressor"
    if source.text.count(f"Bagging{kind}(") or source.text.count(f"Voting{kind}("):
        return
    bagging = _Maker("sklearn.ensemble", f"Bagging{kind}()")
    text = f"Bagging{kind}({source.source(node)}, n_estimators=20, random_state=0)"
    yield _with_imports(source, node, "rewrite.ensemble", f"bags {name}", text, (bagging,))
    voting = _Maker("sklearn.ensemble", f"Voting{kind}()")
    for maker in _NAMES[name][:3]:
        if maker.name != name:
            text = f'Voting{kind}([("one", {source.source(node)}), ("two", {maker.call})])'
            note = f"lets {maker.name} vote beside {name}"
            yield _with_imports(source, node, "rewrite.ensemble", note, text, (voting, maker))


def _with_imports(
    source: Program, node: ast.Call, operator: str, note: str, text: str, makers: Sequence[_Maker]
) -> Mutation | None:
    edits = import_edit(source, node, [(maker.module, maker.name) for maker in makers])
    return None if edits is None else source.mutation(operator, node, note, *edits, source.replace(node, text))

"""Settings whose values are names: which names they have in common libraries."""

from __future__ import annotations

import re

_KNOWN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"optim|optimi[sz]er|opt|solver", ("sgd", "adam", "adamw", "rmsprop", "adagrad", "lion", "lbfgs", "saga")),
    (r"activation|act|act_fn|nonlinearity|non_linearity|activation_function|hidden_act",
     ("relu", "gelu", "silu", "swish", "tanh", "sigmoid", "elu", "leaky_relu", "selu", "mish", "logistic", "identity")),
    (r"schedule|scheduler|lr_schedule|lr_scheduler|lr_scheduler_type|scheduler_type|lr_decay_type|learning_rate",
     ("constant", "cosine", "linear", "step", "exponential", "polynomial", "invscaling", "adaptive", "optimal")),
    (r"norm|normalization|norm_type|norm_layer", ("layernorm", "rmsnorm", "batchnorm", "groupnorm", "none")),
    (r"init|initiali[sz]er|initiali[sz]ation|weight_init|kernel_initializer|init_type",
     ("xavier", "kaiming", "normal", "uniform", "orthogonal", "glorot_uniform", "he_normal")),
    (r"kernel", ("linear", "poly", "rbf", "sigmoid")),
    (r"criterion", ("gini", "entropy", "log_loss", "squared_error", "absolute_error", "friedman_mse", "poisson")),
    (r"max_features", ("sqrt", "log2")),
    (r"penalty|regulari[sz]ation|regulari[sz]er", ("l1", "l2", "elasticnet", "none")),
    (r"loss|loss_fn|loss_function|loss_type|objective",
     ("mse", "l1", "huber", "smooth_l1", "cross_entropy", "bce", "hinge", "log_loss", "focal")),
    (r"booster|boosting|boosting_type", ("gbtree", "gblinear", "dart", "gbdt", "goss")),
    (r"pooling|pool|pool_type|aggregation|reduction", ("mean", "max", "sum", "cls", "attention")),
    (r"weights", ("uniform", "distance")),
    (r"metric|distance", ("euclidean", "manhattan", "cosine", "minkowski")),
)  # fmt: skip
_MEMBERS = tuple((re.compile(rf"(?:.*_)?(?:{names})"), members) for names, members in _KNOWN)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_APART = re.compile(r"[^A-Za-z0-9]+")


def snake(name: str) -> str:
    """A name as lower-case words joined by underscores: `learningRate` and `learning-rate` are `learning_rate`."""
    return _APART.sub("_", _CAMEL.sub("_", name)).strip("_").lower()


def members(name: str) -> tuple[str, ...]:
    """The names that a setting of this name usually may have, none when it is not a known enumeration."""
    return next((known for pattern, known in _MEMBERS if pattern.fullmatch(snake(name))), ())

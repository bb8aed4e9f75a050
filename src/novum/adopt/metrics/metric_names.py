"""Names of scores: which words make one, which way is better, and which of several is meant as the result."""

from __future__ import annotations

import re

_LOWER = frozenset(
    {"loss", "logloss", "perplexity", "ppl", "error", "err", "errors", "bpb", "bpc", "bpd", "mse", "rmse",
     "rmsle", "mae", "mape", "smape", "nll", "regret", "cer", "wer", "fid", "ce", "xent", "bce", "brier", "ece",
     "eer", "mlogloss", "crps", "rmspe", "deviance", "divergence", "distortion", "cost", "merror", "l1", "l2"}
)  # fmt: skip
_HIGHER = frozenset(
    {"acc", "accuracy", "f1", "auc", "auroc", "auprc", "rocauc", "r2", "score", "reward", "rewards", "return",
     "returns", "iou", "miou", "bleu", "rouge", "hit", "hits", "precision", "recall", "map", "mrr", "ndcg",
     "psnr", "ssim", "kappa", "mcc", "dice", "jaccard", "correct", "elbo", "likelihood", "winrate", "success",
     "ap", "top", "sensitivity", "specificity", "fitness", "spearman", "pearson", "correlation", "inception",
     "silhouette"}
)  # fmt: skip
_NEVER = frozenset(
    {"time", "times", "runtime", "sec", "secs", "second", "seconds", "ms", "minutes", "memory", "mem", "count",
     "counts", "num", "number", "n", "params", "parameters", "weight", "weights", "coef", "coeff", "scale",
     "threshold", "patience", "samples", "tokens", "fn", "function", "lr", "interval", "limit", "size", "dim",
     "std", "stddev", "stderr", "var", "variance", "scaler", "budget", "margin", "smoothing", "target",
     "baseline", "every", "iterations", "file", "line", "code", "exit", "seed", "fold", "version", "support",
     "id", "flops", "mfu", "gb", "mb"}
)  # fmt: skip
"""Words of names that are no scores: `loss weight`, `score time`, `error count`."""

_AROUND = frozenset(
    {"mean", "avg", "average", "nats", "bits", "final", "best", "epoch", "step", "total", "overall", "macro",
     "micro", "weighted", "rate", "ratio", "per", "token", "char", "byte", "word", "set", "data", "split", "on",
     "of", "the", "at", "k", "in", "for", "and", "far", "so", "percent", "pct", "squared", "absolute", "class",
     "value", "now", "ma", "ema", "raw"}
)  # fmt: skip
_HELD_OUT = frozenset(
    {"val", "valid", "validation", "dev", "test", "testing", "eval", "evaluation", "heldout", "holdout", "oof",
     "cv", "unseen", "vl", "cross"}
)  # fmt: skip
_TRAINED_ON = frozenset(
    {"train", "training", "tr", "batch", "running", "iter", "minibatch"}
)  # fmt: skip
_FLIPPED = frozenset(
    {"neg", "negative"}
)  # fmt: skip
_SUFFIXES = _AROUND | _HELD_OUT | _TRAINED_ON
_WORD = re.compile(r"[A-Za-z]+[0-9]*")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_PLURAL = re.compile(r"(acc|accuracy|top|hits?|recall|precision|loss)[0-9]+")


def name_words(name: str) -> list[str]:
    """The words of a name in lower case: `val_loss`, `valLoss` and `val/loss` are two."""
    joined = name.replace("^", "").replace("²", "2")
    words = [word.lower() for word in _WORD.findall(_CAMEL.sub("_", joined))]
    return [found[1] if (found := _PLURAL.fullmatch(word)) else word for word in words]


def is_metric(name: str) -> bool:
    """Whether a name is that of a score: a word for one stands last, or only such words follow as `on the test set`."""
    words = name_words(name)
    if not _NEVER.isdisjoint(words) or "runtime" in words:
        return False
    while words and words[-1] not in _LOWER | _HIGHER:
        if words.pop() not in _SUFFIXES:
            return False
    return bool(words) and words != ["top"]


def higher_is_better(name: str) -> bool | None:
    """Which way a score is better, None where its name does not say."""
    words = name_words(name)
    last = next((word for word in reversed(words) if word in _LOWER | _HIGHER), None)
    if last is None:
        return None
    if not _FLIPPED.isdisjoint(words):
        return not _LOWER.isdisjoint(words)
    return last in _HIGHER


def says_split(name: str) -> bool:
    """Whether a name says on which part of the data the score is."""
    return not (_HELD_OUT | _TRAINED_ON).isdisjoint(name_words(name))


def preference(name: str) -> float:
    """How likely a score of this name is meant as the result; larger is likelier."""
    words = set(name_words(name))
    points = 0.0
    if words & _HELD_OUT:
        points += 100
    elif words & _TRAINED_ON:
        points -= 50
    points += 10 * ("final" in words) + 5 * ("best" in words)
    points += 3 * bool(words & (_HIGHER | {"perplexity", "ppl", "bpb", "bpc"}))
    return points - 30 * (words <= {"error", "err", "errors", "cost", "l1", "l2", "top", "hit", "success", "correct"})

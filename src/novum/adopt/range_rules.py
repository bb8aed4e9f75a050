"""Which names mean which kind of hyper-parameter, and what range each kind has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from novum.adopt.near_values import Span, averaging, decades, options, share, sizes, times, whole
from novum.source.declared.declaration import Declared
from novum.source.declared.enumerations import snake

WIDTH = re.compile(
    r"(n_?)?(embd|embed|embedding)(_?(dim|size))?|(d|dim)_?model|hidden(_(size|dim|units|width|channels|features))?"
    r"|(model_|emb_|embed_|feature_|latent_|z_)?(dim|width)|n_hidden|num_hidden(_units)?|hid(den)?_?dim|units|model_size"
    r"|hidden_layer_sizes|n_?units|latent_(size|dim)|embedding_(dim|size)|em_?b?(_?size)?|n_?hid|ngf|ndf|nz|channels|n_?filters|num_filters"
)
HEADS = re.compile(r"(n|num)_?(attention_|attn_)?heads?|heads?|(num_)?attention_heads|nhead|num_key_value_heads")
STEPS = re.compile(
    r"((n|num|max|total|train|training|num_train)_)*(steps|iters|iterations|iter|updates|epochs|epoch|max_epochs|max_iter)"
    r"|(n|num)_?(estimators|trees|rounds|boost_round|epochs|iters?|steps)|num_boost_round|((n|num|total|max)_)*(timesteps|episodes)"
    r"|nepochs?|niters?|nsteps?"
)
EPOCHS = re.compile(r"((n|num|max|total|train|training)_)*epochs?|nepochs?")


@dataclass(frozen=True, slots=True)
class Context:
    """A setting, and those that are declared beside it."""

    one: Declared
    among: tuple[Declared, ...]

    def value(self, names: re.Pattern[str], *, besides: re.Pattern[str] | None = None) -> int | None:
        """The whole number that a setting of such a name has, the first in the same file or beside it."""
        for other in self.among:
            name = snake(other.name)
            whole_number = isinstance(other.value, int) and not isinstance(other.value, bool) and other.value > 0
            if whole_number and names.fullmatch(name) and not (besides and besides.fullmatch(name)):
                return int(other.value)
        return None


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of hyper-parameter: its names, its range for a value, and what it is in words.

    cost: a run takes about (new / old) ** cost times as long.
    """

    names: re.Pattern[str]
    span: Callable[[float, Context], Span]
    rank: int
    why: str
    cost: float = 0.0


def _rule(names: str, span: Callable[[float], Span], rank: int, why: str, *, cost: float = 0.0) -> Rule:
    return Rule(re.compile(names), lambda value, _: span(value), rank, why, cost)


def _heads(value: float, context: Context) -> Span:
    """Numbers of heads that divide the width, where one is known."""
    width = context.value(WIDTH)
    found = sizes(value).choices
    if width is None or not isinstance(value, int) or width % value:
        return options(found)
    return options(one for one in range(1, width + 1) if width % one == 0 and value / 4 <= one <= value * 4)


def _width(value: float, context: Context) -> Span:
    """Widths that every suggested number of heads divides, else those that the present one divides."""
    found = [one for one in sizes(value).choices if isinstance(one, int)]
    heads = context.value(HEADS)
    if not heads or not isinstance(value, int) or value % heads:
        return options(found)
    all_heads = [one for one in _heads(heads, context).choices if isinstance(one, int)]
    for wanted in (all_heads, [heads]):
        if len(fitting := [one for one in found if all(one % head == 0 for head in wanted)]) > 2 and value in fitting:
            return options(fitting)
    return options(found)


def _warm_up(value: float, context: Context) -> Span:
    """From none to all of the steps, counted as it is itself: in steps or in epochs."""
    if not isinstance(value, int):
        return share(value)
    in_epochs = "epoch" in snake(context.one.name)
    steps = context.value(EPOCHS) if in_epochs else context.value(STEPS, besides=EPOCHS)
    return whole(value, 0, steps if steps and steps > value else max(10 * value, 10))


def _clipped(value: float) -> Span:
    if value == 0:
        return Span(choices=(0.0, 0.1, 0.5, 1.0, 5.0))
    return Span(min(0.05, value / 3), max(10.0, value * 3), log=True) if value > 0 else Span()


def _rate(value: float) -> Span:
    """Rates are fractions: a whole `step_size` counts epochs between two rates."""
    return decades(value, 1e-7, 10.0) if isinstance(value, float) else Span()


def _policy_clip(value: float) -> Span:
    return Span(min(0.05, value / 3), max(0.5, value * 2)) if value > 0 else Span()


def _penalty_or_average(value: float) -> Span:
    """`alpha`, `gamma`, `lambda`: averages and discounts where they are near one, else strengths."""
    return averaging(value) if 0.5 < value < 1 else decades(value, 1e-8, 1e4)


def _exploration(value: float) -> Span:
    """`epsilon`: the optimizer's small number, or a share of random actions."""
    return decades(value, 1e-12, 1e-1, 100.0) if value < 1e-2 else share(value)


def _depth(value: float) -> Span:
    return whole(value, 1, max(2, int(3 * value)))


def _neighbours(value: float) -> Span:
    return whole(value, 1, max(4, int(4 * value)), log=value > 8)


def _odd(value: float) -> Span:
    if not isinstance(value, int) or value < 1:
        return Span()
    return options(one for one in (value - 4, value - 2, value, value + 2, value + 4) if one >= 1)


_RATE = r"(?:.*_)?(lr|learning_rate|eta|step_size)(_init|_max|_init_value|_base|_peak)?"

RULES: tuple[Rule, ...] = (
    _rule(r"(lr|learning_rate)_decay_(iters|steps|epochs|every)|decay_(steps|iters|epochs)|t_?max|step_lr_size",
          times, 5, "length of the decay of the learning rate: a quarter to four times"),
    Rule(re.compile(r"(?:.*_)?warm_?up(_\w+)?"), _warm_up, 2, "warm-up: from none to all of the steps"),
    _rule(r"(lr|learning_rate)_(decay|gamma|factor|decay_rate|decay_factor)|lr_mult|decay_rate",
          _penalty_or_average, 3, "decay of the learning rate"),
    _rule(r"min_(lr|learning_rate)|(lr|learning_rate)_min|eta_min|final_(lr|learning_rate)|end_(lr|learning_rate)",
          partial(decades, least=1e-9, most=1.0), 5, "least learning rate: factors of ten around it"),
    _rule(_RATE, _rate, 0, "learning rate: about a factor of 30 to both sides"),
    _rule(r"(?:.*_)?(weight_?decay|wd|l2|l1|l2_reg|l1_reg|reg|regularization|l2_regularization|reg_(alpha|lambda)|lambda_l[12])"
          r"(_rate|_strength|_coef|_lambda)?",
          partial(decades, least=1e-8, most=1e2), 1, "regularisation: about a factor of 30 to both sides"),
    _rule(r"(?:.*_)?(drop_?out|drop_?path|drop_?prob|drop)(_?(rate|p|prob|probability))?|(attn|resid|embd|emb)_?(p?drop|dropout)"
          r"|\w*p?drop",
          share, 1, "dropout: up to 0.6"),
    _rule(r"(ppo_)?clip_?(range|coef|eps|epsilon|ratio|param)", _policy_clip, 3, "how far a policy may move"),
    _rule(r"(?:.*_)?(grad(ient)?_?)(norm_?)?clip(ping)?(_?(norm|val|value|algorithm))?|(max_)?(grad_)?norm_?clip|clip(_grad)?"
          r"(_?(norm|value|val|gradient))?|max_(grad_)?norm|clipnorm|clipvalue|max_gradient_norm|clip_threshold",
          _clipped, 3, "gradient clipping: 0.05 to 10"),
    _rule(r"(?:.*_)?(beta_?[12]|momentum|(ema|polyak|moving_average|target)_?(decay|momentum|rate)|gae_lambda|ema_beta"
          r"|discount(_factor)?)",
          averaging, 2, "how much of the past is kept"),
    _rule(r"(?:.*_)?(betas?|mu|ema|rho|lam)", _penalty_or_average, 2, "how much of the past is kept, or a strength"),
    _rule(r"(?:.*_)?accum\w*(_steps)?", sizes, 3, "steps whose gradients are summed: halved and doubled", cost=0.8),
    _rule(r"((mini|micro|train|training|per_device_train|device|total|global|local|ppo)_?)?batch(_?size)?(_train)?|bs|bsz|mb_size"
          r"|num_minibatches|minibatch",
          sizes, 1, "batch size: a quarter to four times", cost=0.7),
    Rule(HEADS, _heads, 2, "attention heads: numbers that divide the width"),
    Rule(WIDTH, _width, 1, "width: a quarter to four times", cost=0.9),
    _rule(r"(block|context|seq|sequence|window|chunk|patch|bptt|max_seq|ctx)_?(size|len|length)?|n_ctx|max_(seq_)?len(gth)?"
          r"|(max_)?(seq|sequence|context)_?len(gth)?|max_position_embeddings|(max_)?history|unroll_length|horizon",
          sizes, 2, "length of the context: a quarter to four times", cost=0.8),
    _rule(r"(mlp|ffn?|feed_?forward|intermediate|inner|dim_feedforward|d_ff|dim_ff|fc)_?(dim|size|width|hidden|mult|ratio)?"
          r"|(mlp|ffn|expansion)_(ratio|factor|mult)|expansion|lora_(r|rank|alpha)|(adapter|lora)_dim|(n|num)_experts|num_leaves|max_bins?|max_leaves"
          r"|(buffer|replay|memory|rollout)_(size|length|capacity)|codebook_size|max_leaf_nodes|n_components",
          sizes, 2, "size: a quarter to four times", cost=0.6),
    _rule(r"((n|num|max|encoder|decoder|enc|dec|hidden|transformer|mlp|conv|tree)_?)*(layers?|depth|blocks)|n_?layers?"
          r"|num_hidden_layers|max_depth|res_blocks",
          _depth, 1, "depth: 1 to three times", cost=0.8),
    Rule(STEPS, lambda value, _: times(value), 3, "length of the run: a quarter to four times", cost=1.0),
    _rule(r"(?:.*_)?(label_)?smoothing|(?:.*_)?(prob|probability|proba)|p_\w+|\w+_p|mix_?up(_alpha)?|cutmix(_alpha)?"
          r"|(?:.*_)?(ratio|fraction|frac|share)|(?:.*_)?sub_?sample|colsample(_\w+)?|max_samples|max_features|feature_fraction"
          r"|bagging_fraction|epsilon_(start|end|final|greedy)|exploration_\w+|mask_rate",
          share, 2, "a share or a probability"),
    _rule(r"(?:.*_)?(eps|epsilon)", _exploration, 5, "a small number: factors of ten around it"),
    _rule(r"(?:.*_)?temp(erature)?|tau|softmax_scale",
          partial(decades, least=1e-3, most=1e2, factor=10.0), 3, "temperature: a factor of ten to both sides"),
    _rule(r"(?:.*_)?(init_std|initializer_range|init_scale|weight_scale|scale|std|sigma|noise(_\w+)?|jitter|init_range"
          r"|stddev|gain)",
          partial(decades, least=1e-6, most=1e2, factor=10.0), 4, "scale: a factor of ten to both sides"),
    _rule(r"c|alpha|gamma|nu|lambda|lmbda|lambda_\w+|min_child_weight|min_split_gain|(?:.*_)?(coef|coeff|coefficient|strength|penalty"
          r"|weight|lambda|margin|loss_weight|kl_weight)|coef0|length_scale|reg_covar|max_delta_step|min_impurity_decrease",
          _penalty_or_average, 3, "strength: about a factor of 30 to both sides"),
    _rule(r"(n|num)_?neighbou?rs|min_samples(_leaf|_split)?|min_data_in_leaf|min_child_samples|degree|patience|(?:.*_)?patience|k_?nn"
          r"|update_epochs|(n|num)_?(clusters|mixtures)|early_stopping(_rounds)?",
          _neighbours, 4, "a count: 1 to four times"),
    _rule(r"kernel(_size)?|filter_size|ksize", _odd, 3, "kernel size: odd steps around it", cost=0.6),
)  # fmt: skip

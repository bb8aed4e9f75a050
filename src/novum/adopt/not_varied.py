"""Settings that are no hyper-parameters: seeds, machines, files, what is logged, evaluated or generated."""

from __future__ import annotations

import re
from collections.abc import Iterable

from novum.source.declared.declaration import Declared
from novum.source.declared.enumerations import snake

_WORD = re.compile(
    # luck
    r"seeds?|rng"
    # the machine and how fast it is, not what is computed
    r"|ports?|rank|devices?|gpus?|cuda|cpus?|mps|tpu|nodes?|nproc|cores|jobs?|workers?|threads?|procs?|prefetch|pin|backend"
    r"|dtype|amp|fp16|bf16|tf32|precision|deterministic|benchmark|cudnn|cache|ddp|distributed|master|compiled?|fused|flash"
    r"|foreach|accel|accelerator|timeout|hours|minutes|tol|tolerance"
    # files and addresses
    r"|paths?|dirs?|directory|files?|filenames?|folders?|root|url|uri|host|hostname|address|api|key|token|email|hub|upload"
    r"|push|export|download|overwrite"
    # names and dates
    r"|version|date|year|month|day|name|id|uuid|project|entity|tags?|notes|author|title|copyright|help"
    # what is shown and stored
    r"|logs?|logger|logging|logdir|interval|every|freq|frequency|print|verbose|verbosity|reports?|display|plots?|show"
    r"|saves?|saving|checkpoints?|checkpointing|ckpts?|keep|resume|wandb|tensorboard|mlflow|neptune|comet|profile|profiler"
    r"|profiling|debug|quiet|dry|progress|render|video|figsize|dpi|color|fontsize|stdout|stderr"
    # the task and how it is measured
    r"|mode|task|env|datasets?|data|vocab|classes|labels|splits?|folds?|eval|evals|evaluate|evaluation|validate|validation"
    r"|valid|val|tests?|testing|holdout|demo|image|img"
    # text that is written after training
    r"|samples?|sampling|generated?|generation|prompt"
)
_WHOLE = re.compile(
    r"world_size|input_(dim|size)|output_(dim|size)|n_(features|inputs|outputs|train|points)|(in|out)_channels|cv|out|output"
    r"|(train|training)_(size|frac|fraction|ratio|share)|num_(train|training)|max_new_tokens|top_[kp]|loss_scale"
    r"|max_time|time_limit|max_(train_)?examples|train|do_train|skip_\w+|only_\w+|\w+_only|force"
)
_KEPT = re.compile(
    r"(min|max)_samples(_leaf|_split)?|lora_rank|\w*clip_val|data_augmentation|num_(train|training)_(epochs|steps)"
)
"""Names with one of these words that are hyper-parameters all the same."""

_SECTION = re.compile(
    r"logs?|logging|logger|eval|evaluation|wandb|sample|sampling|generate|generation|system|paths|data|dataset|checkpoint"
    r"|machine|hardware|runtime|environment|env|plot|export"
)
_GENERATES = frozenset({"max_new_tokens", "top_k", "top_p", "num_samples", "prompt", "num_return_sequences"})
_APART = re.compile(r"[.:() ]+")


def not_varied(one: Declared) -> bool:
    """Whether a setting is, by its name or by where it stands, nothing that is tuned."""
    name = snake(one.name)
    outer = [snake(part) for part in _APART.split(one.place)[:-1]]
    if one.how in ("key", "field") and any(_SECTION.fullmatch(part) for part in outer):
        return True
    if _KEPT.fullmatch(name):
        return False
    return bool(_WHOLE.fullmatch(name)) or any(_WORD.fullmatch(part) for part in name.split("_"))


def generates(among: Iterable[Declared]) -> bool:
    """Whether settings are those of a script that samples text."""
    return len(_GENERATES & {snake(one.name) for one in among}) > 1

"""What a model is told of a claim that it may remark on, and what of its answer is kept: one text, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Space
from novum.core.model.errors import StudyError
from novum.core.model.study_view import ClaimView, StudyView
from novum.core.model.verdict import Verdict
from novum.researchers.language import templates
from novum.researchers.language.language_options import Model
from novum.researchers.language.model_request import Message, Request
from novum.researchers.language.parse_reply import named
from novum.researchers.language.prompt import change
from novum.researchers.language.reply_forms import Json
from novum.researchers.language.untrusted_text import harmless, line, shortened, tag, without_secrets
from novum.text.format import written

LONGEST = 600
"""Characters of a comment."""

TOKENS = {True: 200, False: 2000}
"""Of a reply, of small models and others: those that think before they speak need room for it."""

CHARACTERS = {True: 1500, False: 12_000}
"""Of what is told of a claim."""

GENES = 12


def request(view: StudyView, claim: ClaimView, model: Model, max_tokens: int | None) -> Request:
    """The request for a comment. It depends on the claim alone, so that the same claim has the same request."""
    facts = without_secrets(harmless("\n".join(lines(view, claim, small=model.small))))
    told, mark = shortened(facts, CHARACTERS[model.small]), tag([facts])
    task = templates.COMMENT_VERDICT if claim.verdict else templates.COMMENT_PROPOSAL
    settings = {"max_tokens": max_tokens or TOKENS[model.small]}
    return Request(
        model=model,
        messages=(
            Message("system", templates.COMMENT_SYSTEM.format(tag=mark)),
            Message("user", f"<{mark}>\n{told}\n</{mark}>\n\n{task}"),
        ),
        schema=_schema(small=model.small),
        settings=settings | ({"temperature": 0.2, "seed": 0} if model.small else {}),
        base={},
    )


def comment(text: str) -> str:
    """The last comment in a reply, in one clean line. Raises StudyError for a reply without one."""
    for answer in reversed(named(text, "comment")):
        said = answer["comment"]
        if isinstance(said, str) and (words := line(said, LONGEST)):
            return words
    raise StudyError("the answer has no comment in words")


def _schema(*, small: bool) -> Json:
    longest = 240 if small else LONGEST
    return {
        "type": "object",
        "properties": {"comment": {"type": "string", "maxLength": longest}},
        "required": ["comment"],
        "additionalProperties": False,
    }


def lines(view: StudyView, claim: ClaimView, *, small: bool) -> Iterator[str]:
    """The facts, a line each; every number among the first of them stands in an event."""
    yield from numbers(view, claim)
    if claim.reason and not any(map(str.isdigit, claim.reason)):
        yield f"the gate's reason: {line(claim.reason, 200)}"
    if not isinstance(view.space, Space):
        yield f"its change: {change(replace(view, incumbent=claim.incumbent), claim.genome, 400 if small else 8000)}"
    yield f"its author's reason: {line(claim.rationale, 300 if small else 2000) or 'none'}"


def numbers(view: StudyView, claim: ClaimView) -> Iterator[str]:
    """The facts with numbers in them."""
    yield f"hypothesis {claim.id} by {line(claim.author, 80)}: better than its incumbent on {_metric(view.spec)}"
    if claim.delta:
        yield f"smallest gain worth having: {claim.delta:.4g}"
    if isinstance(view.space, Space):
        names = [name for name in claim.genome if claim.genome[name] != claim.incumbent.get(name)]
        for name in names[:GENES]:
            yield f"changed: {name} from {_value(claim.incumbent.get(name))} to {_value(claim.genome[name])}"
    expected = f"gain {claim.effect:.4g}" if claim.effect else "no gain named"
    yield f"its author's prediction: chance {claim.probability:.4g}, {expected}"
    if claim.verdict is None:
        return
    if claim.score is not None and claim.level is not None:
        yield f"screening, no evidence: {claim.score:.4g} over {claim.seeds} seeds, incumbent {claim.level:.4g}"
    if claim.sigma is not None:
        yield f"chance alone: two runs of the incumbent differ with a standard deviation of {claim.sigma:.4g}"
    yield (
        f"verdict: {claim.verdict} after {claim.pairs} of at most {claim.max_pairs} pairs of fresh seeds; "
        f"E {claim.e_value:.4g}, threshold {claim.threshold:.4g}"
    )
    if claim.crashes:
        yield f"of its runs failed, and count against it: {claim.crashes}"
    if claim.verdict is Verdict.REFUTED:
        yield f"ruled out: a gain of {claim.dmin:.4g} or more, with an error of at most {claim.beta:.4g}"
    if claim.gain is not None:
        within = f", interval {claim.interval[0]:.4g} to {claim.interval[1]:.4g}" if claim.interval else ", no interval"
        level = f" at level {claim.confidence:.4g}" if claim.interval else ""
        yield f"gain on {claim.fresh} further fresh pairs: {claim.gain:.4g}{within}{level}"


def _metric(spec: ArenaSpec) -> str:
    return f"{line(spec.metric, 80)} ({'higher' if spec.higher_is_better else 'lower'} is better)"


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "nothing" if value is None else line(written(value), 80) if isinstance(value, str | int) else ""

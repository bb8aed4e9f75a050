"""Whether a preflight's answers and its conclusion follow from the runs before it.

Noise, range, the baseline against itself and the power of the budget are computed again. What was tried beside the
record (determinism, leaks, the truth, changed candidates) is held to what its own figures say. Controls have records of
their own, against which `novum.lab.control_records` holds their answers. Another version may have worded and reckoned
otherwise: of its answers only the figures of the noise, the budget and the sum of them all are checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from novum.audit.checks.in_digits import differing
from novum.audit.checks.order_checks import Checks
from novum.audit.score_checks import Rules
from novum.core.events.campaign import Check, PreflightRecorded
from novum.core.model.errors import IntegrityError
from novum.core.state.campaign_state import CampaignState
from novum.gate import leak_check
from novum.gate import preflight_answers as answers
from novum.gate import preflight_checks as conclude
from novum.ledger.codec import plain
from novum.ledger.novum_code import code_hash
from novum.text.canonical_json import canonical

DETERMINISM = "determinism"
_SAID_BY_THEIR_WORDS = {
    DETERMINISM: {"the same seed gives the same artefact": True, "": None},
    conclude.TRUTH: {"prepare makes the same truth from ": False, "neither the seed": True, "": None},
}
"""What an answer is by how its words begin."""


def _preflight(event: PreflightRecorded, state: CampaignState, _: Rules) -> None:
    """Hold a preflight against the state before it. Raises IntegrityError."""
    if event.budget != state.budget:
        raise IntegrityError("the preflight was asked for another budget than the session runs under")
    names = [check.name for check in event.checks]
    if len(set(names)) < len(names):
        raise IntegrityError("the preflight answers a question twice")
    refuted = [check.name for check in event.checks if check.ok is False]
    if event.ok is bool(refuted):
        said = f"{', '.join(refuted)} failed" if refuted else "nothing failed"
        raise IntegrityError(f"the preflight is recorded as {'passed' if event.ok else 'failed'}, and {said}")
    checks = {check.name: check for check in event.checks}
    if by_this_version(state):
        _derived(event, checks, state)
        for check in event.checks:
            _told(check, checks, state)
    else:
        _noise(checks, state)


def by_this_version(state: CampaignState) -> bool:
    """Whether the session runs the code that checks it, which words and reckons as it did."""
    return state.provenance.novum_code == code_hash()


def _derived(event: PreflightRecorded, checks: dict[str, Check], state: CampaignState) -> None:
    """Hold what follows from the runs before against what they say now."""
    for honest in _honest(state):
        found = checks.get(honest.name)
        if found is None:
            raise IntegrityError(f"the preflight does not say what it found of {honest.name!r}")
        _same(found, honest)
    _, conclusion = answers.reach(state)
    if event.conclusion != conclusion:
        raise IntegrityError(f"the preflight concludes that {event.conclusion}, and the runs say that {conclusion}")


def _honest(state: CampaignState) -> Iterator[Check]:
    yield (noise := answers.noise(state))
    if noise != answers.NO_NOISE_YET:
        yield answers.range_left(state)
        yield answers.claim(state)
        if grouped := answers.groups(state):
            yield grouped
        if apart := answers.shifted(state):
            yield apart
        if against := answers.against_itself(state):
            yield against
    yield answers.reach(state)[0]


def _same(found: Check, honest: Check) -> None:
    if canonical(plain(found)) == canonical(plain(honest)):
        return
    names = {**found.figures, **honest.figures}
    said = [differing((name, found.figures.get(name), honest.figures.get(name)) for name in names)]
    if (found.ok, found.words) != (honest.ok, honest.words):
        said.insert(0, f"{_answer(found)} ({found.words}) where {_answer(honest)} follows ({honest.words})")
    told = "; ".join(filter(None, said)) or "told in another form"
    raise IntegrityError(f"the preflight's answer to {honest.name!r} is not what the runs say: {told}")


def _answer(check: Check) -> str:
    return {True: "yes", False: "NO", None: "open"}[check.ok]


def _noise(checks: dict[str, Check], state: CampaignState) -> None:
    """The figures of the noise are data, whichever version reckoned with them."""
    found, honest = checks.get("noise"), answers.noise(state)
    if found and found.figures and honest.figures:
        known = ((name, found.figures.get(name), honest.figures.get(name)) for name in found.figures)
        if said := differing((name, one, other) for name, one, other in known if other is not None):
            raise IntegrityError(f"the preflight's noise does not follow from the runs: {said}")


def _told(check: Check, checks: dict[str, Check], state: CampaignState) -> None:
    """Hold an answer that no run of the record can give again to its own figures, and to what was answered before."""
    before = {one.name: one for one in state.preflight.checks if one.asked} if state.preflight else {}
    derived = {"noise", "range", "negative control: A/A", answers.POWER}
    kept = before.get(check.name)
    if kept and check.name not in derived and canonical(plain(kept)) != canonical(plain(check)):
        raise IntegrityError(f"the preflight's answer to {check.name!r} is another than it was before")
    known = _SAID_BY_THEIR_WORDS.get(check.name)
    if known is not None:
        fits = check.ok is next(ok for begins, ok in known.items() if check.words.startswith(begins))
    elif check.name == leak_check.NAME:
        fits = check.ok is _leaks(check)
    elif check.name == conclude.MOVES:
        fits = _moves(check, checks.get("noise"))
    else:
        return
    if not fits:
        raise IntegrityError(
            f"the preflight's answer to {check.name!r} is {_answer(check)}, and it says: {check.words}"
        )


def _leaks(check: Check) -> bool | None:
    """What the figures of a leak check say."""
    if any(check.figures.values()):
        return False
    return True if len(check.figures) == 2 else None


def _moves(check: Check, noise: Check | None) -> bool:
    """Whether the answer about changed candidates is one of those that its figures allow."""
    level, count = check.figures.get("level"), int(check.figures.get("changed", -1))
    if level is None or count < 0 or noise is None or level != noise.figures.get("mean"):
        return False
    still = [level] * count
    possible = [conclude.metric_moves(level, still, count), conclude.metric_moves(level, still, count + 1)]
    if count:
        possible.append(conclude.metric_moves(level, [*still[1:], level + 1.0], count))
    return any(canonical(plain(check)) == canonical(plain(one)) for one in possible)


PREFLIGHTS: Checks = {PreflightRecorded: _preflight}

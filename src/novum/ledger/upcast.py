"""Older records as today's events: what is stored never changes, so it is read through these functions.

A payload that its type refuses, and a kind that is no longer written, are brought up to date step by step. A change
that a payload cannot tell by its form (the same fields with another meaning) takes a new kind instead. Labs of schema 1
had replications only, no guardrails and no reopening.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Payload = dict[str, Any]
Upcast = Callable[[Payload], tuple[str, Payload]]


def upcast(kind: str, payload: Payload) -> tuple[str, Payload] | None:
    """Kind and payload one step nearer to today's; None when nothing is known about such a record."""
    step = _STEPS.get(kind)
    return step(payload) if step else None


def before_estimands(kind: str, payload: str) -> bool:
    """Whether a campaign was opened when claims did not say what they are about.

    Its fields would be filled with today's defaults; its rules were others.
    """
    return kind == "campaign_opened" and '"loss_bound":' not in payload


_BEFORE_ESTIMANDS = {
    "claim": "typical",
    "scale": "incumbent",
    "floor": 0.0,
    "optimism": 1.1,
    "arms": 1,
    "interval": "sequence",
}


def _campaign_opened(payload: Payload) -> tuple[str, Payload]:
    study = dict(payload["study"])
    gate = {**dict(study["gate"]), **_BEFORE_ESTIMANDS}
    gate.setdefault("planned", 20)
    if "replication_share" in gate:
        study["follow_up"] = {"share": gate.pop("replication_share"), "aims": ["replicate"]}
        study["holdout"] = {"queries": 0}
        gate["reopenings"] = 0
    study["gate"], study["follow_up"] = gate, {**study["follow_up"], "distil": False}
    return "campaign_opened", {**payload, "study": study}


def _confirmation_opened(payload: Payload) -> tuple[str, Payload]:
    # The one metric there was had no name in a rule; an empty one stands for the arena's own.
    return "confirmation_opened", {**_new(payload, "guards"), "metric": "", "guards": []}


def _verdict_reached(payload: Payload) -> tuple[str, Payload]:
    return "verdict_reached", {**_new(payload, "guards"), "guards": []}


def _new(payload: Payload, *names: str) -> Payload:
    """`payload`, in which none of `names` is there yet: what has them is not old but wrong. Raises KeyError."""
    for name in names:
        if name in payload:
            raise KeyError(name)
    return payload


def _group_dispatched(payload: Payload) -> tuple[str, Payload]:
    plan = dict(payload["plan"])
    if plan["purpose"] != "replicate":
        raise KeyError("purpose")
    return "group_dispatched", {**payload, "plan": {**plan, "purpose": "follow_up"}}


def _replication_opened(payload: Payload) -> tuple[str, Payload]:
    _, rule = _confirmation_opened(payload["rule"])
    return "follow_up_opened", {**payload, "rule": rule, "aim": "replicate", "about": "", "options": {}}


def _replication_closed(payload: Payload) -> tuple[str, Payload]:
    # Level 0 says that no interval was recorded; the evidence ledger was not touched.
    unpaid = {"crashes": 0, "effect": payload["mean"], "interval": None, "level": 0.0}
    unpaid |= {"refund": 0.0, "cash": 0.0, "discoveries": 0}
    rest = {key: value for key, value in payload.items() if key != "mean"}
    return "follow_up_closed", {**rest, **unpaid}


_STEPS: Mapping[str, Upcast] = {
    "campaign_opened": _campaign_opened,
    "confirmation_opened": _confirmation_opened,
    "verdict_reached": _verdict_reached,
    "group_dispatched": _group_dispatched,
    "replication_opened": _replication_opened,
    "replication_closed": _replication_closed,
}

"""Metadata of a pack for archives and search engines: RO-Crate 1.3 (w3id.org/ro/crate/1.3), an attached package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from novum.audit.evidence_bundle import Dossier
from novum.audit.pack_file import BLOBS, CRATE, ENVELOPE, ENVIRONMENT, KEY, LEDGER, PAGE
from novum.version import __version__

PROFILE = "https://w3id.org/ro/crate/1.3"

_FILES: Mapping[str, tuple[str, str, str]] = {
    PAGE: ("The finding", "What is claimed, on what evidence, and how to check it.", "text/html"),
    LEDGER: (
        "The record",
        "Every event of the lab in order, each with the hash of all before it.",
        "application/jsonl",
    ),
    ENVIRONMENT: ("The environment", "Versions and code that the trials ran with.", "application/json"),
    KEY: ("The lab's public key", "Ed25519, SubjectPublicKeyInfo in PEM.", "application/x-pem-file"),
    ENVELOPE: (
        "The signed statement",
        "An in-toto statement over every other file, in a DSSE envelope.",
        "application/json",
    ),
}


def crate(found: Dossier, sizes: Mapping[str, int]) -> bytes:
    """The metadata document. sizes: bytes of each file by name, as far as they are known."""
    names = [*(name for name in _FILES if name in sizes or name == ENVELOPE)]
    blobs = sorted(name for name in sizes if name.startswith(BLOBS))
    parts = [*names, *([BLOBS] if blobs else [])]
    graph = [
        {"@id": CRATE, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": PROFILE}},
        _root(found, parts),
        *(_file(name, sizes.get(name)) for name in names),
        *([_artefacts(blobs)] if blobs else []),
        *({"@id": name, "@type": "File", "name": "Artefact", "contentSize": str(sizes[name])} for name in blobs),
        _campaign(found),
        {"@id": "#novum", "@type": "SoftwareApplication", "name": "Novum", "version": __version__},
    ]
    document = {"@context": f"{PROFILE}/context", "@graph": graph}
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _root(found: Dossier, parts: list[str]) -> dict[str, Any]:
    study, name = found.opening.study, found.hypothesis.id
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Finding {name} of the study {study.name!r}",
        "description": f"{found.claim} Grade: {found.grade}. Arena: {study.arena}.",
        "datePublished": _moment(found.found_at),
        "license": "No licence was chosen for this record: ask its owner before you publish it again.",
        "hasPart": [{"@id": part} for part in parts],
        "mainEntity": {"@id": PAGE},
    }


def _file(name: str, size: int | None) -> dict[str, Any]:
    title, description, kind = _FILES[name]
    entity = {"@id": name, "@type": "File", "name": title, "description": description, "encodingFormat": kind}
    return entity if size is None else {**entity, "contentSize": str(size)}


def _artefacts(blobs: list[str]) -> dict[str, Any]:
    return {
        "@id": BLOBS,
        "@type": "Dataset",
        "name": "Artefacts",
        "description": "What the trials behind the finding delivered, each named by its SHA-256.",
        "hasPart": [{"@id": name} for name in blobs],
    }


def _campaign(found: Dossier) -> dict[str, Any]:
    return {
        "@id": "#campaign",
        "@type": "CreateAction",
        "name": f"The campaign {found.opening.study.name!r}, up to event {found.events}",
        "endTime": _moment(found.found_at),
        "instrument": {"@id": "#novum"},
        "result": [{"@id": LEDGER}],
    }


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

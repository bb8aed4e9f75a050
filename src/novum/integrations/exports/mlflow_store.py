"""An MLflow tracking store, by MLflow's own client: DIR/mlflow.db, which `mlflow ui` opens.

One experiment per campaign. A second export into the same store brings it up to date: runs keep their ids, those that
have not changed are left alone. The store is SQLite, since MLflow refuses its former directories of files.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novum.core.model.errors import MissingExtra, UserError
from novum.integrations.exports.files import origin
from novum.integrations.exports.tables import clean
from novum.integrations.exports.tracker_runs import RUNNING, Run, runs
from novum.views.index.campaign_index import CampaignIndex

INSTALL = "an MLflow store needs mlflow-skinny, sqlalchemy and alembic: pip install 'novum[mlflow]' (or mlflow itself)"
CAMPAIGN, NAME, CONTENT = "novum.campaign", "novum.id", "novum.content"
BATCH, MANY = 100, 500
LONGEST_TEXT, LONGEST_KEY = 4000, 240
_KEY = re.compile(r"[^\w.\- ]")


def write_mlflow(found: CampaignIndex, directory: Path) -> dict[str, int]:
    """Write or update the experiment of a campaign; returns how many runs it has and how many were written.

    An export that was interrupted goes on where it stopped. Says on standard error when it will take long.
    Raises MissingExtra, UserError.
    """
    store = _open(directory)
    experiment = _experiment(store.client, found, directory)
    known = {run.data.tags.get(NAME, ""): run for run in _present(store.client, experiment)}
    ids: dict[str, str] = {}
    written, wanted = 0, list(runs(found))
    if len(wanted) - len(known) > MANY:
        print(f"writing {len(wanted)} runs; MLflow takes about 20 ms for each ...", file=sys.stderr, flush=True)
    for run in wanted:
        before = known.get(run.id)
        if before and before.data.tags.get(CONTENT) == run.content:
            ids[run.id] = before.info.run_id
            continue
        ids[run.id] = store.put(experiment, run, before, ids, found.last.time if found.last else run.ended)
        written += 1
    return {"runs": len(ids), "written": written}


def _open(directory: Path) -> _Store:
    """The store in a directory, made if need be. MLflow would report its use to its makers; that is switched off."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    try:
        import alembic  # noqa: F401 without these two MLflow fails with words that do not say so
        import mlflow.entities
        import mlflow.exceptions
        import mlflow.tracking
        import sqlalchemy
    except ImportError:
        raise MissingExtra(INSTALL) from None
    for name in ("mlflow", "alembic"):  # after the import, which sets a level of its own
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        uri = f"sqlite:///{directory.absolute() / 'mlflow.db'}"
        return _Store(mlflow.tracking.MlflowClient(tracking_uri=uri), mlflow.entities)
    except (OSError, mlflow.exceptions.MlflowException, sqlalchemy.exc.SQLAlchemyError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"cannot open the MLflow store in {directory}: {said}; choose another --mlflow DIR") from None


@dataclass(frozen=True)
class _Store:
    """An MLflow client and the classes that it speaks with."""

    client: Any
    entities: Any

    def put(self, experiment: str, run: Run, before: Any, ids: Mapping[str, str], now: int) -> str:
        """Write a run anew or bring it up to date; returns its id."""
        params = {_key(name): value[:LONGEST_TEXT] for name, value in run.params.items()}
        if before and any(params.get(name) != value for name, value in before.data.params.items()):
            # A parameter cannot be changed, and the best setting of an incumbent's longer sweep may be another.
            self.client.delete_run(before.info.run_id)
            before = None
        tags = {key: value for key, value in self._tags(run, ids).items() if value}
        if before is None:
            before = self.client.create_run(experiment, start_time=run.began // 1000, run_name=run.id, tags=tags)
            tags = {}
        name: str = before.info.run_id
        missing = {key: value for key, value in params.items() if key not in before.data.params}
        metrics = [self.entities.Metric(_key(key), value, now // 1000, 0) for key, value in run.values.items()]
        metrics += [self.entities.Metric(p.metric, p.value, p.time // 1000, p.step) for p in run.points]
        if run.status == RUNNING:
            self.client.update_run(name, status=RUNNING)
        else:
            self.client.set_terminated(name, run.status, run.ended // 1000)
        self._log(name, metrics, missing, {**tags, CONTENT: run.content})
        return name

    def _log(self, name: str, metrics: list[Any], params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """In batches of a size that MLflow takes. The last tag comes last: it says that the run is complete."""
        listed = [self.entities.Param(key, value) for key, value in params.items()]
        tagged = [self.entities.RunTag(key, value) for key, value in tags.items()]
        starts = range(0, max(len(metrics), len(listed), 1), BATCH)
        for start in starts:
            part, last = slice(start, start + BATCH), start == starts[-1]
            self.client.log_batch(name, metrics[part], listed[part], tagged if last else [])

    def _tags(self, run: Run, ids: Mapping[str, str]) -> dict[str, str]:
        said = {key: clean(value)[:LONGEST_TEXT] for key, value in run.tags.items()}
        return {
            NAME: run.id,
            "mlflow.user": clean(run.author)[:LONGEST_KEY],
            "mlflow.source.name": "novum",
            "mlflow.parentRunId": ids.get(run.parent, ""),
            "mlflow.note.content": said.get("novum.rationale", "") or said.get("novum.reason", ""),
            **said,
        }


def _experiment(client: Any, found: CampaignIndex, directory: Path) -> str:
    """The experiment of a campaign: the one that carries its tag, or a new one under the name of its study."""
    made_from = origin(found)
    tags = {f"novum.{name}": value for name, value in made_from.items()}
    question = found.state.study.question or found.state.spec.question
    tags |= {"novum.metric": found.state.spec.metric, "mlflow.note.content": question}
    tags["mlflow.experimentKind"] = "custom_model_development"
    tags = {key: clean(value)[:LONGEST_TEXT] for key, value in tags.items() if value}
    present = client.search_experiments(filter_string=f"tags.`{CAMPAIGN}` = '{made_from['campaign']}'")
    if present:
        name: str = present[0].experiment_id
        for key, value in tags.items():
            client.set_experiment_tag(name, key, value)
        return name
    title = clean(found.state.study.name)
    if client.get_experiment_by_name(title):
        title = f"{title} {made_from['campaign'][:8]}"
    place = (directory.absolute() / "artifacts").as_uri()
    return str(client.create_experiment(title, artifact_location=place, tags=tags))


def _present(client: Any, experiment: str) -> Iterator[Any]:
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment], max_results=1000, page_token=token or None)
        yield from page
        token = page.token or None


def _key(name: str) -> str:
    """A name that MLflow takes for a parameter or metric."""
    return _KEY.sub("_", name)[:LONGEST_KEY]

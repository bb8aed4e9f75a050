"""Names of files that differ from run to run become globs that fit this file and no other score."""

from __future__ import annotations

import pytest

from novum.adopt.metrics.metric_place import stable_name
from novum.sandbox.glob_files import fits_glob

TEXTS = {"train.py": "open(f'out/run2/metrics_{seed}.json'); SummaryWriter('logs/v1')"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("results.json", "results.json"),
        ("out/run2/log.csv", "out/run2/log.csv"),
        ("out/run2/metrics_17.json", "out/run2/metrics_*.json"),
        ("outputs/2026-11-29/10-06-02/metrics.json", "outputs/*/*/metrics.json"),
        ("runs/Nov29_10-00-00_host/events.out.tfevents.1795946107.host.12.0", "runs/*/events.out.tfevents.*"),
        ("logs/v1/events.out.tfevents.1795946107.host.12.0", "logs/v1/events.out.tfevents.*"),
        ("m-2026-11-29T10:00:00.5.csv", "m-*.csv"),
    ],
)
def test_what_differs_from_run_to_run_becomes_a_star(path, name):
    assert stable_name(path, [path, "other.json"], TEXTS) == name
    assert fits_glob(path, name)


def test_a_glob_that_another_file_fits_is_not_taken():
    files = ["epoch_1.json", "epoch_2.json"]
    assert stable_name("epoch_2.json", files, TEXTS) == "epoch_2.json"


def test_event_files_of_one_folder_are_one_log():
    files = ["runs/a/events.out.tfevents.1.h", "runs/a/events.out.tfevents.2.h"]
    assert stable_name(files[0], files, {}) == "runs/a/events.out.tfevents.*"

"""Groups hold their GPUs alone while they run, whatever the number of workers, and give them back however they end."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from novum.core.model.errors import ExecutorError
from novum.core.model.hardware import Gpu, GpuKind
from novum.core.model.trial import OutcomeKind
from novum.executors.inline import InlineExecutor
from novum.executors.local.executor import LocalExecutor
from novum.sandbox import Tier
from novum.sandbox.gpus.gpu_locks import GpuPool

GPUS = [Gpu(f"GPU-{number}", "a GPU", GpuKind.NVIDIA, ("/dev/full",), visible=f"GPU-{number}") for number in range(4)]


@pytest.fixture
def program(monkeypatch):
    """Workers import it from this folder, beside what they import anyway."""
    folders = [str(Path(__file__).parent), *(one for one in sys.path if one)]
    monkeypatch.setenv("PYTHONPATH", ":".join(folders))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return "gpu_program"


def told(results):
    return [json.loads(result.outputs[0].artefact) for result in results]


@pytest.mark.parametrize(("count", "each", "at_once"), [(1, 1, 1), (2, 1, 2), (4, 2, 2), (3, 2, 1)])
def test_no_two_groups_hold_one_gpu_at_a_time(program, make, finish, tmp_path, count, each, at_once):
    pool = GpuPool(GPUS[:count], each, tmp_path)
    with LocalExecutor(program, 3, gpus=pool) as executor:
        found = told(finish(executor, *(make("look") for _ in range(6))))
    for gpu in GPUS[:count]:
        spans = sorted((one["began"], one["ended"]) for one in found if gpu.id in one["gpus"])
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
    moments = [one["began"] for one in found]
    running = [sum(one["began"] <= moment < one["ended"] for one in found) for moment in moments]
    assert max(running) <= at_once
    assert all(len(set(one["gpus"])) == each for one in found)
    assert all(one["visible"] == ",".join(one["gpus"]) and not one["bounded"] for one in found)


def test_without_gpus_nothing_is_held_and_address_space_is_bounded(program, make, finish):
    with LocalExecutor(program, 1) as executor:
        (found,) = told(finish(executor, make("look")))
    assert found["gpus"] == [] and found["visible"] is None and found["bounded"]


def test_the_gpus_of_a_lost_server_are_given_to_the_next_group(program, make, finish, tmp_path):
    with LocalExecutor(program, 1, gpus=GpuPool(GPUS[:1], 1, tmp_path)) as executor:
        results = finish(executor, make("die"), make("look"))
    assert results[0].outputs[0].failure is OutcomeKind.LOST
    assert told(results[1:])[0]["gpus"] == ["GPU-0"]


def test_a_closed_executor_holds_nothing(program, make, tmp_path):
    pool = GpuPool(GPUS[:1], 1, tmp_path)
    with LocalExecutor(program, 1, gpus=pool) as executor:
        executor.submit(make("look"))
        executor.submit(make("look"))
        executor.collect(2.0)
    assert GpuPool(GPUS[:1], 1, tmp_path).take() is not None


def test_who_waits_for_another_lab_begins_when_that_is_done(program, make, finish, tmp_path):
    other = GpuPool(GPUS[:1], 1, tmp_path).take()
    with LocalExecutor(program, 1, gpus=GpuPool(GPUS[:1], 1, tmp_path)) as executor:
        executor.submit(make("look"))
        assert not executor.collect(1.0)
        other.release()
        assert told(finish(executor, make("look")))


def test_the_inline_executor_holds_them_too(program, make, tmp_path):
    with InlineExecutor(program, gpus=GpuPool(GPUS[:2], 1, tmp_path)) as executor:
        executor.submit(make("look"))
        (result,) = executor.collect(0.0)
    assert told([result])[0]["gpus"] in (["GPU-0"], ["GPU-1"])
    assert GpuPool(GPUS[:2], 2, tmp_path).take() is not None


def test_forked_children_behind_walls_are_promised_no_gpu(tmp_path):
    with pytest.raises(ExecutorError, match="see no GPU"):
        LocalExecutor("gpu_program", 1, Tier.NAMESPACES, gpus=GpuPool(GPUS[:1], 1, tmp_path))

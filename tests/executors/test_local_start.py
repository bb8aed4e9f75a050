"""Programs that cannot be made ready, and one that needs PyTorch."""

import importlib.util
import subprocess
import sys
import time

import pytest

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import OutcomeKind
from novum.executors.local.executor import LocalExecutor


@pytest.fixture
def program(tmp_path, monkeypatch):
    def write(text):
        (tmp_path / "program_under_test.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return "program_under_test"

    return write


def failure_of(program, make):
    with LocalExecutor(program, workers=2) as executor:
        executor.submit(make("echo"))
        with pytest.raises(ExecutorError) as caught:
            executor.collect(30)
        with pytest.raises(ExecutorError, match="did not become ready"):
            executor.submit(make("echo"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import torch_of_another_world", "put its folder into PYTHONPATH"),
        ("raise ImportError(\"No module named 'torch'\")", "pip install 'novum[arenas]'"),
        ("x = 1", "has no attribute 'run'"),
        ("def warm(): raise ValueError('too cold')\ndef run(group): ...", "ValueError: too cold"),
        ("import os; os._exit(7)", "exit status 7"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
            "def run(group): ...",
            "left 2 threads",
        ),
    ],
)
def test_three_failed_starts_raise_an_error_that_says_why(program, make, text, words):
    message = failure_of(program(text), make)
    assert words in message
    assert "did not become ready in 3 starts" in message


def test_a_start_that_fails_once_is_tried_again(program, make, finish, tmp_path):
    flag = tmp_path / "flag"
    name = program(
        f"from pathlib import Path\nfrom novum.testing.fault_injection import run\nflag = Path({str(flag)!r})\n"
        "if not flag.exists():\n    flag.touch()\n    raise RuntimeError('first time')\n"
    )
    with LocalExecutor(name, workers=1) as executor:
        assert finish(executor, make("echo"))[0].outputs[0].failure is None


def test_the_lab_does_not_import_the_program(program, make, finish):
    name = program("from novum.testing.fault_injection import run")
    with LocalExecutor(name, workers=1) as executor:
        finish(executor, make("echo"))
    assert name not in sys.modules


def test_the_lab_side_is_light():
    code = (
        "import sys, novum.executors.local.executor, novum.executors.local.fork_server\n"
        "assert not {'pydantic', 'numpy', 'torch', 'asyncio'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_executor_needs_a_worker():
    with pytest.raises(ExecutorError, match="at least one worker"):
        LocalExecutor("novum.testing.fault_injection", workers=0)


TORCH = """
import torch
import torch._dynamo
from novum.core.model.trial import TrialOutput

def warm():
    torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1)

def run(group):
    if group.candidate.genome["act"] == "memory":
        torch.ones(1 << 30)
    outputs = []
    for trial in group.trials:
        torch.manual_seed(trial.seed)
        model = torch.nn.Linear(8, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        inputs = torch.randn(32, 8)
        for _ in range(5):
            optimizer.zero_grad()
            loss = ((model(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
            loss.backward()
            optimizer.step()
        outputs.append(TrialOutput(trial.id, model.weight.detach().numpy().tobytes(), facts={"loss": loss.item()}))
    return outputs
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
def test_a_torch_program_forks_well_after_warm(program, make, finish):
    with LocalExecutor(program(TORCH), workers=1) as executor:
        first, second = finish(executor, make("train"), make("train"), within=120)
        before = time.monotonic()
        (third,) = finish(executor, make("memory"))
        assert time.monotonic() - before < 20
    artefacts = [[one.artefact for one in result.outputs] for result in (first, second)]
    assert artefacts[0] == artefacts[1]
    assert artefacts[0][0] != artefacts[0][1]
    assert second.usage.cpu_seconds < 0.5  # importing torch again would take more than that
    assert third.outputs[0].failure is OutcomeKind.OUT_OF_MEMORY

"""The worker program of the sandbox benchmark: a torch trial of five SGD steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from novum.core.model.trial import TrialGroup, TrialOutput


def warm() -> None:
    """Build an optimizer, so that children do not each import what it loads on its first step."""
    import torch._dynamo

    torch.manual_seed(0)
    train(1)


def run(group: TrialGroup) -> Sequence[TrialOutput]:
    """Train a tiny network for five steps."""
    return [TrialOutput(trial.id, repr(train(trial.seed)).encode()) for trial in group.trials]


def train(seed: int) -> float:
    """Loss after five steps."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        inputs = torch.randn(32, 16)
        loss = (model(inputs) - inputs.sum(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()

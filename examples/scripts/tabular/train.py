"""Classify generated rows of a table with a small network.

Settings can be given as `name=value`, for example `python train.py seed=3 lr=0.01`.
"""

import sys
from dataclasses import dataclass, fields

import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    """Settings of a run."""

    seed: int = 0
    epochs: int = 6
    batch_size: int = 32
    hidden: int = 64
    dropout: float = 0.3
    lr: float = 0.01
    momentum: float = 0.9


def load_config(arguments):
    config = Config()
    kinds = {field.name: type(field.default) for field in fields(Config)}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in kinds:
            raise SystemExit(f"no setting {name!r}: use one of {', '.join(kinds)}")
        setattr(config, name, kinds[name](value))
    return config


def load_data():
    """A table with four classes in several clusters each; 3000 rows to train on and 5000 to test on."""
    x, y = make_classification(
        n_samples=8000,
        n_features=30,
        n_informative=12,
        n_redundant=6,
        n_classes=4,
        n_clusters_per_class=3,
        class_sep=1.2,
        flip_y=0.02,
        random_state=7,
    )
    x = torch.tensor(x, dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.long)
    return TensorDataset(x[:3000], y[:3000]), TensorDataset(x[3000:], y[3000:])


def make_model(inputs, outputs, config):
    return nn.Sequential(
        nn.Linear(inputs, config.hidden),
        nn.Tanh(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, config.hidden),
        nn.Tanh(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, outputs),
    )


def train_epoch(model, loader, optimizer, criterion):
    """One pass over the training rows; the mean loss."""
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


@torch.no_grad()
def accuracy(model, dataset):
    model.eval()
    x, y = dataset.tensors
    return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    config = load_config(sys.argv[1:])
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)

    train_set, test_set = load_data()
    loader = DataLoader(train_set, batch_size=config.batch_size, shuffle=True)
    model = make_model(30, 4, config)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=config.momentum)

    for epoch in range(1, config.epochs + 1):
        loss = train_epoch(model, loader, optimizer, criterion)
        if epoch % 2 == 0:
            print(f"epoch {epoch}: train loss {loss:.4f}, train accuracy {accuracy(model, train_set):.4f}")

    print(f"test accuracy {accuracy(model, test_set):.4f}")


if __name__ == "__main__":
    main()

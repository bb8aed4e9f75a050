"""Train a small GPT on the bytes of modules of Python's standard library."""

import argparse
import time
from pathlib import Path

import torch
from model import GPT, GPTConfig

MODULES = ["argparse.py", "ast.py", "calendar.py", "dataclasses.py", "datetime.py", "decimal.py", "difflib.py"]
MODULES += ["doctest.py", "enum.py", "inspect.py", "pickle.py", "statistics.py", "tarfile.py", "typing.py"]


def load_data():
    """Bytes to train on, and the bytes at the end of each module, which are held out."""
    folder = Path(argparse.__file__).parent
    train, val = b"", b""
    for name in MODULES:
        path = folder / name
        if path.stat().st_size > 10_000:
            text = path.read_bytes()
            cut = int(0.92 * len(text))
            train += text[:cut]
            val += text[cut:]
    return torch.tensor(list(train), dtype=torch.long), torch.tensor(list(val), dtype=torch.long)


def get_batch(data, batch_size, block_size):
    ix = torch.randint(len(data) - block_size - 1, (batch_size,))
    x = torch.stack([data[i : i + block_size] for i in ix])
    y = torch.stack([data[i + 1 : i + block_size + 1] for i in ix])
    return x, y


@torch.no_grad()
def evaluate(model, data, block_size, windows=200):
    """Mean loss over windows at fixed places."""
    model.eval()
    starts = torch.linspace(0, len(data) - block_size - 2, windows).long()
    x = torch.stack([data[i : i + block_size] for i in starts])
    y = torch.stack([data[i + 1 : i + block_size + 1] for i in starts])
    total = 0.0
    for i in range(0, windows, 100):
        _, loss = model(x[i : i + 100], y[i : i + 100])
        total += loss.item()
    model.train()
    return total / (windows // 100)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--block-size", type=int, default=64)
    parser.add_argument("--n-layer", type=int, default=2)
    parser.add_argument("--n-head", type=int, default=2)
    parser.add_argument("--n-embd", type=int, default=48)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--log-every", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    args = parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    train_data, val_data = load_data()

    config = GPTConfig(
        block_size=args.block_size,
        n_layer=args.n_layer,
        n_head=args.n_head,
        n_embd=args.n_embd,
        dropout=args.dropout,
    )
    model = GPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    print(f"{len(train_data)} bytes to train on, {sum(p.numel() for p in model.parameters())} parameters")

    start = time.time()
    for step in range(1, args.steps + 1):
        x, y = get_batch(train_data, args.batch_size, args.block_size)
        _, loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % args.log_every == 0:
            val_loss = evaluate(model, val_data, args.block_size)
            print(f"step {step}: train loss {loss.item():.2f}, val loss {val_loss:.2f}")

    val_loss = evaluate(model, val_data, args.block_size)
    print(f"final val loss {val_loss:.4f} after {time.time() - start:.1f} s")


if __name__ == "__main__":
    main()

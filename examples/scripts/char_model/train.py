"""A recurrent model of characters, trained on the help texts of Python that come with it."""

import time
from pydoc_data.topics import topics

import torch
from torch import nn
from torch.nn import functional as F

SEED = 1337
CHARS = 250_000  # of text, the last tenth of which is held out
SEQ_LEN = 40
BATCH_SIZE = 16
HIDDEN = 64
EMBED = 32
LEARNING_RATE = 2e-3
STEPS = 150
LOG_EVERY = 50

torch.set_num_threads(1)
torch.manual_seed(SEED)

# ---------------------------------------------------------------- data

text = "\n".join(topics[name] for name in sorted(topics))[:CHARS]
chars = sorted(set(text))
vocab_size = len(chars)
to_index = {char: index for index, char in enumerate(chars)}
data = torch.tensor([to_index[char] for char in text], dtype=torch.long)

split = int(0.9 * len(data))
train_data, val_data = data[:split], data[split:]


def get_batch():
    """Random windows of the training text, and the same windows one character later."""
    starts = torch.randint(len(train_data) - SEQ_LEN - 1, (BATCH_SIZE,))
    x = torch.stack([train_data[i : i + SEQ_LEN] for i in starts])
    y = torch.stack([train_data[i + 1 : i + SEQ_LEN + 1] for i in starts])
    return x, y


# ---------------------------------------------------------------- model


class CharModel(nn.Module):
    """An embedding, a GRU and a small head that predicts the next character."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, EMBED)
        self.rnn = nn.GRU(EMBED, HIDDEN, batch_first=True)
        self.fc = nn.Linear(HIDDEN, HIDDEN)
        self.head = nn.Linear(HIDDEN, vocab_size)

    def forward(self, x, state=None):
        h, state = self.rnn(self.embed(x), state)
        h = torch.relu(self.fc(h))
        return self.head(h), state


model = CharModel()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
print(
    f"{len(text)} characters, {vocab_size} of them different, {sum(p.numel() for p in model.parameters())} parameters"
)


@torch.no_grad()
def evaluate():
    """Mean loss on the held-out text, read from left to right in rows."""
    model.eval()
    rows = 50
    length = (len(val_data) - 1) // rows
    x = val_data[: rows * length].view(rows, length)
    y = val_data[1 : rows * length + 1].view(rows, length)
    logits, _ = model(x)
    loss = F.cross_entropy(logits.reshape(-1, vocab_size), y.reshape(-1))
    model.train()
    return loss.item()


# ---------------------------------------------------------------- training

started = time.time()
smoothed = None
for step in range(STEPS):
    x, y = get_batch()
    logits, _ = model(x)
    loss = F.cross_entropy(logits.reshape(-1, vocab_size), y.reshape(-1))

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    smoothed = loss.item() if smoothed is None else 0.95 * smoothed + 0.05 * loss.item()
    if (step + 1) % LOG_EVERY == 0:
        print(f"step {step + 1}: train loss {smoothed:.4f} ({time.time() - started:.1f} s)")

val_loss = evaluate()
print(f"val loss: {val_loss:.4f}")

# ---------------------------------------------------------------- a sample


@torch.no_grad()
def sample(prompt="The ", length=120, temperature=0.8):
    """Text that the model writes after a prompt."""
    x = torch.tensor([[to_index[char] for char in prompt]])
    out, state = list(prompt), None
    for _ in range(length):
        logits, state = model(x, state)
        probs = F.softmax(logits[0, -1] / temperature, dim=-1)
        x = torch.multinomial(probs, 1).view(1, 1)
        out.append(chars[x.item()])
    return "".join(out)


print(sample())

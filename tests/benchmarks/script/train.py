"""The smallest training there is: one weight, one rate."""

import random

SEED = 1
LR = 0.01
MOMENTUM = 0.3
STEPS = 8

random.seed(SEED)
weight, speed = 4.0, 0.0
for _ in range(STEPS):
    speed = MOMENTUM * speed - LR * 2 * (weight - 1.3 + random.gauss(0, 0.1))
    weight += speed
print(f"val loss {(weight - 1.3) ** 2:.5f}")

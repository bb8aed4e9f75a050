"""Sequence architectures: which one recalls, tracks state or compresses more per byte of state and per FLOP."""

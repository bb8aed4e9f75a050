"""Coins with known chances."""

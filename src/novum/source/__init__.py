"""Candidates that are source trees: what may be edited, what equals what, and how programs are changed."""

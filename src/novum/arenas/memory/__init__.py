"""Associative memories without training: rules that write pairs into a matrix and read them back."""

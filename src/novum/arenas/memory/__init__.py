"""Associative memories without training: which rule writes pairs into a matrix so that most are read back?"""

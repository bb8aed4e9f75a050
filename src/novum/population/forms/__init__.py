"""The mathematics of the mixers in torch, a file per family: training form over all tokens, and one token at a time."""

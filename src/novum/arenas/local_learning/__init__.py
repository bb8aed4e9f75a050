"""Learning without backpropagation: which parts of local learning rules learn most from equal samples or equal FLOP."""

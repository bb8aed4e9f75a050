"""The mathematics of scaling laws: designs, fits with intervals, predictions and comparisons. Needs numpy only."""

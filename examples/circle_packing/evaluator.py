"""The sum of the radii of 26 circles, if they lie in the unit square and do not overlap, else nothing."""

import importlib.util

import numpy as np

COUNT = 26
TOLERANCE = 1e-9


def evaluate(program_path):
    """Metrics of the program in a file."""
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    points, sizes = (np.array(part, dtype=float) for part in program.run_packing(COUNT))
    if points.shape != (COUNT, 2) or sizes.shape != (COUNT,) or not np.isfinite([*points.ravel(), *sizes]).all():
        return {"combined_score": 0.0, "error": "wrong shape or not a number"}
    inside = ((points - sizes[:, None] >= -TOLERANCE) & (points + sizes[:, None] <= 1 + TOLERANCE)).all()
    apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1)) + np.eye(COUNT) * 9
    if (sizes < 0).any() or not inside or (apart < sizes[:, None] + sizes[None] - TOLERANCE).any():
        return {"combined_score": 0.0, "error": "circles overlap or leave the square"}
    return {"combined_score": float(sizes.sum())}

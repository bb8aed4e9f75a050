"""How near a program comes to the lowest point, over ten searches; at most 1,000 looks at the landscape each."""

import importlib.util
import math

LOWEST = -1.5187
LOOKS = 1000


def evaluate(program_path):
    """Metrics of the program in a file."""
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    true, looks = program.landscape, [0]

    def counted(x, y):
        looks[0] += 1
        if looks[0] > LOOKS:
            raise RuntimeError(f"more than {LOOKS} looks at the landscape")
        return true(x, y)

    gaps = []
    for _ in range(10):
        looks[0] = 0
        x, y = program.search(counted)
        if not (math.isfinite(x) and math.isfinite(y)):
            return {"combined_score": 0.0, "error": "not a point"}
        gaps.append(max(0.0, true(x, y) - LOWEST))
    gap = sum(gaps) / len(gaps)
    return {"combined_score": 1.0 / (1.0 + 20.0 * gap), "gap": gap}

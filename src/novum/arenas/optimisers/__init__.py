"""Update rules of optimisers as programs: which few instructions train best in equal steps."""

"""What the benchmarks make of their figures; the figures themselves are nobody's promise."""

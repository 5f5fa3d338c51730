"""Benchmarks: mixcon beside what one would do without it."""

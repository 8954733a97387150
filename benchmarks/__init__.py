"""Measurements that back the numbers in docs/benchmarks.md: `python -m benchmarks --data DIR`."""

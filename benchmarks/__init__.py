"""Speed beside other libraries: `python -m benchmarks` measures every table, `docs/performance.md` tells how to read them."""

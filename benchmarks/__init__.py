"""The speed tables: ours beside its peers, in one run (`python -m benchmarks`)."""

"""Nests → a plan, and its run: steps in order, memory, kernels, threads."""

"""The hand-made parts under generated code. Imports numpy, numba and llvmlite, nothing of indexlang."""

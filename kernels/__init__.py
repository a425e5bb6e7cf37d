"""The hand-made parts under generated code. Imports numpy and llvmlite, numba in one place, nothing of indexlang."""

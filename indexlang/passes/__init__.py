"""Typed program → typed program: one file and one function a pass."""

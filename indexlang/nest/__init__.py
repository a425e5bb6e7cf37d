"""Typed equations → loops, and what loops cost."""

"""Texts and places in them, names, and every message with its code."""

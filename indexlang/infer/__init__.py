"""Syntax tree → typed equations: the only package that sees both."""

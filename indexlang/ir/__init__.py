"""Typed equations: nodes, operations, arithmetic of subscripts, and the interpreter that defines what they mean."""

"""Typed program → picture of the network: nodes, rows and columns, then SVG or DOT."""

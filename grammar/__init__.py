"""The grammars of the notation and of its LaTeX, and the parser tables made of them."""

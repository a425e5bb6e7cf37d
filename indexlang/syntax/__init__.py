"""Text → syntax tree, and back: tokens, grammar, layout, LaTeX."""

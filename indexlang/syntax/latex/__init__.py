"""The same for formulas in LaTeX."""

"""What the commands of LaTeX mean: tables."""

from indexlang.text.names import GREEK

# Commands that are a sign of the notation: kind and text of the token.
SIGNS = {
    "times": ("MULTIPLY", "*"), "cdot": ("MULTIPLY", "*"), "ast": ("MULTIPLY", "*"), "div": ("MULTIPLY", "/"),
    "bmod": ("MULTIPLY", "%"), "leq": ("COMPARE", "<="), "le": ("COMPARE", "<="), "leqslant": ("COMPARE", "<="),
    "geq": ("COMPARE", ">="), "ge": ("COMPARE", ">="), "geqslant": ("COMPARE", ">="), "lt": ("COMPARE", "<"),
    "gt": ("COMPARE", ">"), "neq": ("COMPARE", "!="), "ne": ("COMPARE", "!="), "wedge": ("AND", "and"),
    "land": ("AND", "and"), "vee": ("OR", "or"), "lor": ("OR", "or"), "neg": ("NOT", "not"), "lnot": ("NOT", "not"),
    "partial": ("PARTIAL", "∂"), "infty": ("NAME", "inf"), "sim": ("TILDE", "~"), "leftarrow": ("ARROW", "<-"), "gets": ("ARROW", "<-"),
    "lfloor": ("FLOOR", "⌊"), "rfloor": ("RFLOOR", "⌋"), "lvert": ("ABS", "|"), "rvert": ("RABS", "|"),
    "{": ("LPAR", "("), "}": ("RPAR", ")"), "%": ("MULTIPLY", "%"), "lbrack": ("LSQB", "["), "rbrack": ("RSQB", "]"),
    "approx": ("RELATION", "≈"), "to": ("RELATION", "→"), "in": ("RELATION", "∈"), "equiv": ("RELATION", "≡"),
    "propto": ("RELATION", "∝"), "mid": ("RELATION", "|"), "Rightarrow": ("RELATION", "⇒"),
}  # fmt: skip

REDUCTIONS = {"sum": "sum", "prod": "prod", "max": "max", "min": "min", "bigwedge": "all", "bigvee": "any"}
FUNCTIONS = {"exp": "exp", "log": "log", "ln": "log", "tanh": "tanh", "sin": "sin", "cos": "cos"}
LETTERS = {**GREEK, "ell": "l", "pi": "π", "varepsilon": "ε", "varphi": "φ", "vartheta": "θ", "varsigma": "ς",
           "imath": "i", "jmath": "j"}  # fmt: skip
ACCENTS = {"hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304",
           "overline": "\u0304", "dot": "\u0307", "check": "\u030c"}  # fmt: skip
# Commands whose braces hold words, or a name of several letters.
TEXTS = {"text", "textrm", "textit", "texttt", "textsf", "textbf", "mbox", "mathrm", "mathit", "mathtt", "mathsf",
         "operatorname"}  # fmt: skip
# Commands that only change how their braces look, and how many braces come before that.
LOOKS = {"mathbf": 0, "boldsymbol": 0, "bm": 0, "mathcal": 0, "boxed": 0, "mathop": 0, "mathord": 0, "textcolor": 1,
         "colorbox": 1}  # fmt: skip
# Commands that mean nothing, and how many braces go with them.
SILENT = {
    **dict.fromkeys(
        ("left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl",
         "Biggr", "middle", "displaystyle", "textstyle", "limits", "nolimits", "nonumber", "notag", "hfill", ",", ":",
         ";", "!", " ", ">", "quad", "qquad", "enspace", "thinspace", "hline", "bf", "rm", "it", "[", "]", "(", ")"),
        0,
    ),
    **dict.fromkeys(("label", "tag", "color", "hspace", "vspace", "phantom", "vphantom"), 1),
}  # fmt: skip
# Words of \text{…} that are words of the notation; those of declarations only where a statement begins.
SAID = {"for": "FOR", "for all": "FOR", "for each": "FOR", "if": "IF", "when": "IF", "where": "IF", "else": "ELSE",
        "otherwise": "ELSE", "and": "AND", "or": "OR", "not": "NOT"}  # fmt: skip
DECLARED = {"input": "INPUT", "param": "PARAM", "state": "STATE", "tensor": "TENSOR", "output": "OUTPUT",
            "def": "DEF", "return": "RETURN", "include": "INCLUDE"}  # fmt: skip
SPACES = {"quad": 1, "qquad": 2, "hfill": 0}  # and how far they move a row to the right
DOTS = {"dots", "cdots", "vdots", "ldots", "ddots", "dotsc", "dotsb"}
ENVIRONMENTS = {"equation", "align", "aligned", "gather", "gathered", "multline", "split", "eqnarray", "flalign",
                "array", "displaymath", "alignat", "alignedat"}  # fmt: skip
KNOWN = (*SIGNS, *REDUCTIONS, *FUNCTIONS, *LETTERS, *ACCENTS, *TEXTS, *LOOKS, *SILENT, *DOTS, "frac", "sqrt", "begin")

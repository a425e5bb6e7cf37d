"""Names: normal forms, twins, and what the writer may have meant."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip


_LONG = 100  # characters: comparing names takes time by the square of their lengths


def normal(name: str) -> str:
    """The form in which names are compared: Unicode NFC."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None: the same but for case, script or one or two slips."""
    candidates = sorted(set(known) - {name})
    folded = {c.casefold(): c for c in reversed(candidates)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    twin = GREEK.get(name)
    if twin in candidates:
        return twin
    if len(name) > _LONG:
        return None
    close = get_close_matches(name, candidates, n=1, cutoff=0.6 if len(name) > 3 else 0.5)
    return close[0] if close else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """The advice for a name that is not known: the one most like it, or else what there is to say."""
    like = nearest(name, known)
    return f"did you mean `{like}`?" if like else otherwise


def is_capital(name: str) -> bool:
    """Whether a name stands for an extent, not an index: it begins with a capital (but `Δx` is a step of x)."""
    return name[:1].isupper() and not (name[0] == "Δ" and len(name) > 1)


# Letters of other scripts that look like Latin ones.
_LIKE = str.maketrans("АВЕЗКМНОРСТУХЅІЈаеорсухѕіјΑΒΕΖΗΙΚΜΝΟΡΤΥΧονᴏ", "ABE3KMHOPCTYXSIJaeopcyxsijABEZHIKMNOPTYXovo")


def look_alike(name: str, known: Iterable[str]) -> tuple[str, str] | None:
    """The known name that `name` looks like, and the script of the letter by which it differs."""
    seen = name.translate(_LIKE)
    for other in sorted(set(known) - {name}):
        if other.translate(_LIKE) == seen:
            odd = next((c for c, d in zip(name, other, strict=False) if c != d), name[0])
            return other, script(odd).capitalize()
    return None


def script(character: str) -> str:
    """The script of a letter, read from its Unicode name (`LATIN`, `CYRILLIC`, …)."""
    return unicodedata.name(character, "UNKNOWN").split(" ")[0]


def visible(text: str) -> str:
    """`text` with control, bidirectional and invisible characters shown as `<U+202E>`; a tab becomes a space."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(c) for c in text)


def _visible(c: str) -> str:
    if c == "\t":
        return " "
    return f"<U+{ord(c):04X}>" if unicodedata.category(c) in _HIDDEN and c != "\n" else c


_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def is_hidden(c: str) -> bool:
    """Whether a character must not stand in a program text: controls, bidirectional marks, invisible ones."""
    return c not in "\n\t" and unicodedata.category(c) in _HIDDEN


def plural(count: int, noun: str) -> str:
    """`1 value`, `3 values`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

"""What the scripts beside this share: pages that are made, and kept as they are made."""

import sys
from pathlib import Path


def keep(page: Path, text: str, maker: str) -> int:
    """Write a page; with `--check` only compare it, and say on stderr what to run. The exit code.

    maker  what the text follows from: "the codes"
    """
    if "--check" not in sys.argv[1:]:
        page.write_text(text, encoding="utf-8")
        return 0
    if page.read_text(encoding="utf-8") == text:
        return 0
    print(f"docs/{page.name} is not what {maker} say: run `python docs/{Path(sys.argv[0]).name}`", file=sys.stderr)
    return 1

"""`python -m indexlang …` is `indexlang …`."""

from indexlang.cli.main import main

if __name__ == "__main__":
    main()

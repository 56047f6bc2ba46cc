"""`python -m understudy`: the command line."""

from understudy.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m understudy`: the command line."""

from understudy.cli.main import program

if __name__ == "__main__":
    program()

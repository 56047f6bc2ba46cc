"""Draw docs/images/slim-build.svg: the terminal of a slim build of the demo, from a run made just now.

usage: terminal_picture.py   (with the development environment's Python)
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs/images/slim-build.svg"
UNDERSTUDY = str(Path(sys.executable).with_name("understudy"))
SLIM = ["build", "-s", "state:modified+", "--defer", "--state", "prod-artifacts", "--target", "dev"]


def run(project: Path, *args: str) -> str:
    """One command; what it wrote to stderr, where the run is told. Ends the program when it fails."""
    ran = subprocess.run([*args], cwd=project, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(ran.stdout + ran.stderr)
    return ran.stderr


def main() -> None:
    """Build production in a scratch copy, change a mart, build slimly, draw."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "ecommerce")
        ignored = shutil.ignore_patterns("target", "logs", "*.duckdb", "prod-artifacts")
        shutil.copytree(ROOT / "examples/ecommerce", project, ignore=ignored)
        run(project, sys.executable, "generate_data.py")
        run(project, UNDERSTUDY, "build", "--target", "prod", "--target-path", "prod-artifacts")
        run(project, sys.executable, "changes.py", "mart")
        told = run(project, UNDERSTUDY, *SLIM, "--use-colors", "--printer-width", "108")
    console = Console(record=True, width=112, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "dim"), ("understudy " + " ".join(SLIM), "bold")))
    console.print(Text.from_ansi(told))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    svg = re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", console.export_svg(title="examples/ecommerce"), flags=re.DOTALL)
    OUT.write_text(svg, encoding="utf-8")  # without fonts from elsewhere: whoever looks at it asks nobody else


if __name__ == "__main__":
    main()

"""Write down the commands and options of dbt 1.11; run with the oracle's own Python, `.venv-dbt`.

The command "" is dbt itself; what its options and a command's have in common is written once.

usage: oracle_options.py OUT.json
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import click
from dbt.cli.main import cli


def options(command: click.Command, name: str = "") -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """(command, its options by their longest spelling), for a command and those below it."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option):
            variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or [])
            found[max(option.opts, key=len)] = {
                "flags": sorted([*option.opts, *(flag for flag in option.secondary_opts if flag.strip())]),
                "value": not option.is_flag,
                "env": variables,
                "choices": sorted(getattr(option.type, "choices", [])),
            }
    yield name, dict(sorted(found.items()))
    if isinstance(command, click.Group):
        for child in sorted(command.commands):
            yield from options(command.commands[child], f"{name} {child}".strip())


def main(out: str) -> None:
    """Write the file, an option per line."""
    found = dict(options(cli))
    shared = found[""]
    commands = []
    for command, own in found.items():
        kept = {name: option for name, option in own.items() if not command or shared.get(name) != option}
        rows = [f" {json.dumps(name)}: {json.dumps(option)}" for name, option in kept.items()]
        commands.append(f"{json.dumps(command)}: {{\n" + ",\n".join(rows) + "\n}")
    pathlib.Path(out).write_text("{\n" + ",\n".join(commands) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

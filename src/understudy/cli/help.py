"""The pages that `--help` prints: options under headings, a line or two each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import click

from understudy.app.option_table import ARGUMENTS, GROUPS, Option
from understudy.cli.commands import COMMANDS

TAGLINE = "Build only what you changed in a dbt project, and let production stand in for the rest."


def write_help(formatter: click.HelpFormatter, rows: Sequence[Option]) -> None:
    """The page of `understudy --help`."""
    formatter.write_usage("understudy", "COMMAND [options]")
    _paragraph(formatter, TAGLINE)
    _section(formatter, "Commands", [(name, about.summary) for name, about in COMMANDS.items()])
    _groups(formatter, rows)
    _section(formatter, "Help", [("-h, --help", "Show this page."), ("-v, --version", "Show the versions.")])
    formatter.write("\nunderstudy COMMAND --help shows the options of a command.\n")


def write_command_help(formatter: click.HelpFormatter, name: str, rows: Sequence[Option]) -> None:
    """The page of `understudy COMMAND --help`."""
    about = COMMANDS[name]
    argument = ARGUMENTS.get(name)
    word = "" if argument is None else f"{argument.metavar} " if argument.required else f"[{argument.metavar}] "
    formatter.write_usage(f"understudy {name}", f"{word}[options]")
    _paragraph(formatter, about.text)
    if about.examples:
        formatter.write("\n")
        for example in about.examples:
            formatter.write(f"  $ understudy {example}\n")
    if argument is not None:
        _section(formatter, "Argument", [(argument.metavar, argument.help)])
    _groups(formatter, rows)
    formatter.write("\nEvery option may also stand before the command, and most may come from DBT_* variables.\n")


def write_family_help(formatter: click.HelpFormatter, name: str, members: Sequence[str]) -> None:
    """The page of a first word, such as `docs`."""
    formatter.write_usage(f"understudy {name}", "COMMAND [options]")
    _section(formatter, "Commands", [(member, COMMANDS[f"{name} {member}"].summary) for member in members])
    formatter.write(f"\nunderstudy {name} COMMAND --help shows the options of a command.\n")


def _groups(formatter: click.HelpFormatter, rows: Iterable[Option]) -> None:
    shown = {row.name: row for row in rows if row.status == "works"}
    for title, group in GROUPS.items():
        _section(formatter, title, [entry(shown[row.name]) for row in group if row.name in shown])


def entry(row: Option) -> tuple[str, str]:
    """An option's left and right side: how it is spelt, and what it does."""
    long = row.flag
    if row.negative and row.negative == f"--no-{long[2:]}":
        long = f"--[no-]{long[2:]}"
    short = next((flag for flag in row.flags if not flag.startswith("--")), None)
    value = row.metavar or {"text": "TEXT", "choice": "WORD"}.get(row.kind, "")
    text = row.help
    if row.kind == "choice":
        words = [f"{word} (default)" if word == row.default else word for word in row.choices]
        text = f"{text.rstrip('.')}: {', '.join(words)}."
    if row.kind == "switch" and row.default is True:
        text = f"{text.rstrip('.')} (default)."
    left = f"{short}, {long}" if short else f"    {long}"
    return f"{left} {value}".rstrip(), text


def _section(formatter: click.HelpFormatter, title: str, entries: Sequence[tuple[str, str]]) -> None:
    if entries:
        with formatter.section(title if os.environ.get("NO_COLOR") else click.style(title, bold=True)):
            formatter.write_dl(entries, col_max=32)


def _paragraph(formatter: click.HelpFormatter, text: str) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(text)

"""The reference of the command line, docs/reference/commands.md, from the table of options and the commands' words."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.app.option_table import ARGUMENTS, GLOBAL, GROUPS, LOCAL, OPTIONS, Option, options_of
from understudy.cli.commands import ALIASES, COMMANDS, LATER
from understudy.cli.help import entry


def command_reference(note: str) -> str:
    """The page; `note` says that it is generated."""
    return note + "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Commands\n"
    yield "`understudy COMMAND [options]`. Names, options and exit codes are dbt's; options that dbt does not have are marked *ours*.\n"
    yield "Options may stand before or after the command (those that take several words, such as `--select`, after it). A flag beats"
    yield "the environment variable, which beats `flags:` in `dbt_project.yml`, which beats the default. Each variable is read as"
    yield "`DBT_ENGINE_NAME`, too, and counts first under that name. Switches are spelt `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`.\n"
    yield "Exit codes: 0 success; 1 a node or a test failed, or the run was interrupted; 2 a usage error, or nothing could be run."
    yield "Results go to stdout (`list`, `show`, `compile --inline`, what templates `print()`), everything else to stderr.\n"
    for name, about in COMMANDS.items():
        names = [name, *(alias for alias, of in ALIASES.items() if of == name)]
        yield f"## {', '.join(names)}\n"
        yield f"{about.text}\n"
        if name in ARGUMENTS:
            argument = ARGUMENTS[name]
            yield f"`{argument.metavar}`{'' if argument.required else ' (optional)'}: {argument.help}\n"
        if about.examples:
            yield "```shell"
            yield from (f"understudy {example}" for example in about.examples)
            yield "```\n"
        yield from _tables([row for row in options_of(name) if row.name in LOCAL[name]])
        later = [OPTIONS[each].flag for each in LOCAL[name] if OPTIONS[each].status == "later"]
        if later:
            yield f"Not in this version, and refused: {', '.join(f'`{flag}`' for flag in later)}.\n"
    yield "## Options of every command\n"
    yield from _tables([OPTIONS[name] for name in GLOBAL])
    yield "## Accepted without effect\n"
    yield "Scripts that pass these keep working. Nothing is sent to anybody, with or without them.\n"
    yield from (f"- `{_spelling(row)}`" for row in GROUPS["Without effect"])
    yield "\n## Commands of later versions\n"
    yield "| command | meanwhile |\n|---|---|"
    yield from (f"| `{name}` | {hint} |" for name, hint in LATER.items())


def _tables(rows: list[Option]) -> Iterator[str]:
    shown = [row for row in rows if row.status == "works"]
    yield "| option | meaning | variable |\n|---|---|---|"
    for row in sorted(shown, key=lambda row: list(OPTIONS).index(row.name)):
        variables = [variable for variable in row.env if not variable.lstrip("!").startswith("DBT_ENGINE_")]
        names = ", ".join(
            f"`{variable.lstrip('!')}`{' (the opposite)' if variable[0] == '!' else ''}" for variable in variables
        )
        ours = " *ours*" if row.name in ("verify_state", "state_max_age", "dry_run") else ""
        yield f"| `{_spelling(row)}` | {entry(row)[1].replace('|', chr(92) + '|')}{ours} | {names} |"
    yield ""


def _spelling(row: Option) -> str:
    left = entry(row)[0].strip()
    others = [flag for flag in row.flags if flag != row.flag and flag.startswith("--")]
    return f"{left} (or {', '.join(others)})" if others else left

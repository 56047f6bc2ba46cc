"""The command line as click commands, built from the table of options. The body of a command is imported when it runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from understudy import __version__
from understudy.app.option_table import ARGUMENTS, GLOBAL, LOCAL, OLD_SELECT, OPTIONS, Option, options_of
from understudy.cli.commands import ALIASES, COMMANDS, LATER
from understudy.cli.help import write_command_help, write_family_help, write_help
from understudy.errors import UnderstudyError, UsageError, did_you_mean

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
MANY = ("words", "choices")
OLD_FLAGS = ("--models", "--model", "-m")


class Line(NamedTuple):
    """What stood on a command line: the command, and what was given, by the option's name."""

    command: str
    given: Mapping[str, Any]


def read_line(arguments: Sequence[str], *, helpful: bool = True) -> Line | int:
    """A command line that asks for a command; the exit code of one that was answered with help. Raises UsageError, also,
    unless `helpful`, where the command is missing, which is answered with help else.
    """
    try:
        found = cli(helpful=helpful).main(list(arguments), prog_name="understudy", standalone_mode=False)
    except click.UsageError as error:
        raise _as_ours(error) from error
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None
    return found if isinstance(found, Line | int) else 0


def run_line(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. Errors are printed."""
    try:
        line = read_line(arguments)
        if isinstance(line, int):
            return line
        from understudy.cli.run import run

        return run(line.command, line.given)
    except UnderstudyError as error:
        from understudy.cli.failures import tell

        return tell(error, debug=bool({"-d", "--debug"} & set(arguments)))


def cli(*, helpful: bool = True) -> click.Group:
    """The whole tree."""
    return Root(helpful)


class Root(click.Group):
    """`understudy`: the options that may stand before the command, and the commands, each made when it is named."""

    def __init__(self, helpful: bool = True) -> None:
        self.helpful = helpful
        rows = {row.flag: row for name in reversed(_before_command()) for row in (OPTIONS[name],)}
        super().__init__(
            "understudy",
            params=[*(_parameter(row) for row in reversed(rows.values())), _version_parameter()],
            callback=_before_commands,
            context_settings=SETTINGS,
            invoke_without_command=True,
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        """The command of that name. Raises UsageError, with the nearest name or what to use instead."""
        name = ALIASES.get(name, name)
        if name in COMMANDS:
            return Command(name)
        if _members(name):
            return Family(name)
        if name in LATER:
            raise UsageError(f"'{name}' is not in understudy {__version__} yet", hint=LATER[name])
        first = dict.fromkeys(command.partition(" ")[0] for command in COMMANDS)
        hint = did_you_mean(name, [*first, *LATER]) or f"Known: {', '.join(COMMANDS)}"
        raise UsageError(f"There is no command '{name}'", hint=hint)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The page of `understudy --help`."""
        write_help(formatter, [OPTIONS[name] for name in GLOBAL])


def _before_commands(**_: Any) -> None:
    """Keep what stood before the command; print the help where none is named, with exit code 2 as nothing was run."""
    ctx = click.get_current_context()
    ctx.obj = _given(ctx)
    _help_alone()


def _help_alone(**_: Any) -> None:
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        root = ctx.find_root().command
        if isinstance(root, Root) and not root.helpful:
            raise UsageError("There is no command", hint=f"Known: {', '.join(COMMANDS)}")
        click.echo(ctx.get_help())
        ctx.exit(2)


class Family(click.Group):
    """The first of two words: `understudy docs`, with the commands `generate` and `serve`."""

    def __init__(self, name: str) -> None:
        super().__init__(name, callback=_help_alone, context_settings=SETTINGS, invoke_without_command=True)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The second words."""
        return _members(str(self.name))

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        """The command of both words. Raises UsageError, with the nearest name."""
        members, whole = _members(str(self.name)), f"{self.name} {name}"
        if ALIASES.get(whole, whole) in COMMANDS:
            return Command(ALIASES.get(whole, whole))
        hint = did_you_mean(name, members) or f"Known: {', '.join(members)}"
        raise UsageError(f"There is no command '{self.name} {name}'", hint=hint)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The page of `understudy docs --help`."""
        write_family_help(formatter, str(self.name), self.list_commands(ctx))


def _members(name: str) -> list[str]:
    """The second words of the commands whose first word this is."""
    return [command.partition(" ")[2] for command in COMMANDS if command.startswith(f"{name} ")]


class Command(click.Command):
    """One command, with all of its options. Options that take several words swallow them up to the next option."""

    def __init__(self, name: str) -> None:
        self.rows = options_of(name)
        super().__init__(
            name,
            params=[*(_parameter(row) for row in self.rows), _version_parameter()],
            context_settings={**SETTINGS, "allow_extra_args": True},
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Spread `-s a b` into `-s a -s b`, then let click parse."""
        many = {flag: row.flag for row in self.rows if row.kind in MANY for flag in row.flags}
        ctx.meta[OLD_SELECT] = next((word for word in args if word.partition("=")[0] in OLD_FLAGS), None)
        return super().parse_args(ctx, list(_spread(args, many)))

    def invoke(self, ctx: click.Context) -> Line:
        """Put together what stood before and after the command."""
        name = str(self.name)
        words, argument = list(ctx.args), ARGUMENTS.get(name)
        found: dict[str, Any] = {}
        if argument is not None and words:
            found[argument.name] = tuple(words) if argument.many else words[0]
            words = [] if argument.many else words[1:]
        elif argument is not None and argument.required:
            raise UsageError(f"'{name}' needs a {argument.metavar}", hint=argument.help)
        if words:
            takes = f"'{name}' takes {'one word and ' if argument else ''}options only"
            hint = "Nodes are chosen with --select" if "select" in LOCAL[name] else takes
            raise UsageError(f"Unexpected argument {words[0]!r}", hint=hint)
        if ctx.meta[OLD_SELECT]:
            found[OLD_SELECT] = ctx.meta[OLD_SELECT]
        return Line(name, {**_both_sides(name, ctx.obj or {}, _given(ctx)), **found})

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The page of `understudy COMMAND --help`."""
        write_command_help(formatter, str(self.name), self.rows)


def _before_command() -> list[str]:
    """Names of the options that may stand before the command: all that take one value, or none. A flag that means another
    option elsewhere, which takes several (`init -s`, `build -s`), stands after it.
    """
    taken = {flag for row in OPTIONS.values() if row.kind in MANY for flag in row.flags}
    names = dict.fromkeys([*GLOBAL, *(name for local in LOCAL.values() for name in local)])
    return [name for name in names if OPTIONS[name].kind not in MANY and not taken & set(OPTIONS[name].flags)]


def _both_sides(command: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, whichever side of the command it stood on. Raises UsageError for both sides, or a wrong command."""
    rows = {row.flag: row.name for row in options_of(command)}
    found = dict(after)
    for name, value in before.items():
        flag = OPTIONS[name].flag
        if flag not in rows:
            raise _unknown(command, flag)
        if rows[flag] in after and not OPTIONS[name].repeats:
            raise UsageError(f"{flag} is given before and after '{command}'", hint="Give it once")
        found[rows[flag]] = (*value, *after.get(name, ())) if OPTIONS[name].repeats else value
    return found


def _given(ctx: click.Context) -> dict[str, Any]:
    return {
        name: value
        for name, value in ctx.params.items()
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def _parameter(row: Option) -> click.Option:
    """A row as a click option. All values stay text: they are read by `app.options`, like those of the environment."""
    flags = list(row.flags)
    if row.kind == "switch":
        if row.negative:
            flags[flags.index(row.flag)] = f"{row.flag}/{row.negative}"
        return click.Option([*flags, row.name], is_flag=True, default=None)
    return click.Option([*flags, row.name], type=str, multiple=row.kind in MANY or row.repeats)


def _version_parameter() -> click.Option:
    def answer(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            from understudy.cli.version import version_text

            click.echo(version_text())
            ctx.exit()

    flags = ["--version", "-v", "-V"]
    return click.Option(flags, is_flag=True, is_eager=True, expose_value=False, callback=answer)


def _spread(args: Sequence[str], many: Mapping[str, str]) -> Iterator[str]:
    """`-s a b --defer` becomes `--select a --select b --defer`. Raises UsageError for an option without a word.

    `many`: the spellings of options that take several words, each with the long one, which click finds without looking around.
    """
    rest = deque(args)
    while rest:
        word = rest.popleft()
        flag, equals, value = word.partition("=")
        if flag not in many:
            yield word
            continue
        words = [value] if equals else []
        while rest and not rest[0].startswith("-"):
            words.append(rest.popleft())
        if not words:
            raise UsageError(f"{flag} needs a value", hint="It takes one or more words, up to the next option")
        for each in words:
            yield from (many[flag], each)


def _as_ours(error: click.UsageError) -> UsageError:
    """click's complaint in our words, with the nearest known option."""
    command = error.ctx.command.name if error.ctx and isinstance(error.ctx.command, Command) else None
    if isinstance(error, click.NoSuchOption):
        return _unknown(command, error.option_name)
    hint = f"See 'understudy {command} --help'" if command else "See 'understudy --help'"
    return UsageError(error.format_message().rstrip("."), hint=hint)


def _unknown(command: str | None, flag: str) -> UsageError:
    """No such option: the nearest one, or the commands that have it."""
    having = [name for name in LOCAL if any(flag in (*row.flags, row.negative) for row in options_of(name))]
    if command is None:
        if having:
            return UsageError(
                f"{flag} stands after the command", hint=f"For example: understudy {having[0]} {flag} ..."
            )
        rows = tuple(OPTIONS[name] for name in _before_command())
    elif having:
        return UsageError(f"'{command}' has no option {flag}", hint=f"It belongs to {', '.join(having)}")
    else:
        rows = options_of(command)
    known = [spelling for row in rows if row.status != "idle" for spelling in (*row.flags, row.negative) if spelling]
    near = did_you_mean(flag, [spelling for spelling in known if spelling.startswith("--")])
    subject = f"'{command}' has no option {flag}" if command else f"There is no option {flag}"
    return UsageError(subject, hint=near or f"See 'understudy {command or ''} --help'".replace("  ", " "))

"""The commands, each as the part of the one pipeline that it needs:

load > parse > link > diff > select > defer > compile > execute > write.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from understudy.app.events import Logged, Output
from understudy.app.invocation import Emit, Invocation, Outcome
from understudy.app.options import Options, WarnRules
from understudy.errors import ArtifactError


def run_command(
    options: Options, emit: Emit, *, environ: Mapping[str, str] | None = None, cwd: str | None = None
) -> Outcome:
    """Run one command. Re-entrant: everything it knows, it is given here.

    Raises:
        UnderstudyError: nothing was run; the error's exit code is the command's. Failures of nodes are no exceptions.
    """
    invocation = Invocation(
        options=options,
        environ=dict(os.environ if environ is None else environ),
        cwd=os.path.abspath(cwd or os.getcwd()),
        id=str(uuid.uuid4()),
        started=datetime.now(UTC),
        emit=emit,
        rules=WarnRules.of(options),
    )
    return BODIES[options.command](invocation)


def parse(invocation: Invocation) -> Outcome:
    """Read the whole project, check it, write its manifest."""
    from understudy.app.document import write_manifest
    from understudy.app.load import load_project

    project = load_project(invocation)
    write_manifest(invocation, project)
    return Outcome(results=project.manifest)


def list_(invocation: Invocation) -> Outcome:
    """Print what a selection selects, a line each, sorted by unique_id."""
    from understudy.app import listing
    from understudy.app.choose import choose, resource_types_of
    from understudy.app.commands import COMMANDS
    from understudy.app.document import write_manifest
    from understudy.app.load import load_project
    from understudy.app.states import States

    options = invocation.options
    project = load_project(invocation)
    states = States(invocation, project, defers=False)  # refuses a state that is overwritten below
    selection = choose(invocation, project, states, COMMANDS["list"])
    try:
        write_manifest(invocation, project)
    except ArtifactError as error:  # the list is what was asked for, and it can be had where nothing can be written
        invocation.emit(Logged(f"manifest.json is not written: {error.message}"))
    found = [project.manifest.cards[unique_id] for unique_id in sorted(selection.nodes)]
    gone = listing.gone(
        selection.removed, lambda: states.comparison.prior, resource_types_of(options, COMMANDS["list"])
    )
    form, keys = options.output or "selector", options.output_keys
    lines = list(listing.lines([*found, *gone], form, keys, project.manifest.get))
    for line in lines:
        invocation.emit(Output(line))
    return Outcome(results=lines)


def execute(invocation: Invocation) -> Outcome:
    """Run the selected nodes: `run`, `test`, `seed`, `snapshot`, `build`, `clone`."""
    from understudy.app.execution import execute

    return execute(invocation)


def compile_(invocation: Invocation) -> Outcome:
    """Write the SQL that would run."""
    from understudy.app.compilation import compile_selected

    return compile_selected(invocation)


def docs_generate(invocation: Invocation) -> Outcome:
    """Write the page, and the catalog of what the database holds."""
    from understudy.app.documentation import generate

    return generate(invocation)


def docs_serve(invocation: Invocation) -> Outcome:
    """Show the page until Ctrl-C."""
    from understudy.app.serving import serve

    return serve(invocation)


def show(invocation: Invocation) -> Outcome:
    """Show rows."""
    from understudy.app.showing import show

    return show(invocation)


def retry(invocation: Invocation) -> Outcome:
    """Run again what failed in the last run, as that run was asked for."""
    from understudy.app.retrying import take_up

    again = take_up(invocation)
    return Outcome() if again is None else BODIES[again.options.command](again)


def source_freshness(invocation: Invocation) -> Outcome:
    """Say how old the sources are."""
    from understudy.app.freshness import freshness

    return freshness(invocation)


def deps(invocation: Invocation) -> Outcome:
    """Install packages."""
    from understudy.app.deps import install

    return install(invocation)


def init(invocation: Invocation) -> Outcome:
    """Begin a project."""
    from understudy.app.starting import init

    return init(invocation)


def run_operation(invocation: Invocation) -> Outcome:
    """Call one macro."""
    from understudy.app.operation import run_operation

    return run_operation(invocation)


def plan(invocation: Invocation) -> Outcome:
    """Show what `build` would do."""
    from understudy.app.planning import plan

    return plan(invocation)


def explain(invocation: Invocation) -> Outcome:
    """Explain nodes and their references."""
    from understudy.app.planning import explain

    return explain(invocation)


def debug(invocation: Invocation) -> Outcome:
    """Check project, profile and connection."""
    from understudy.app.diagnosis import diagnose

    return diagnose(invocation)


def clean(invocation: Invocation) -> Outcome:
    """Delete what runs leave behind."""
    from understudy.app.cleaning import clean

    return clean(invocation)


BODIES: Mapping[str, Callable[[Invocation], Outcome]] = {
    "build": execute,
    "clean": clean,
    "clone": execute,
    "compile": compile_,
    "debug": debug,
    "docs generate": docs_generate,
    "docs serve": docs_serve,
    "explain": explain,
    "deps": deps,
    "init": init,
    "list": list_,
    "parse": parse,
    "plan": plan,
    "run": execute,
    "retry": retry,
    "run-operation": run_operation,
    "seed": execute,
    "show": show,
    "snapshot": execute,
    "source freshness": source_freshness,
    "test": execute,
}

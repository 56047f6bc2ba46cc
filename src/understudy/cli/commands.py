"""What each command is for, in words; and those of dbt that this version does not have."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    """`summary` stands in the list of commands, `text` in the command's own help, with examples."""

    summary: str
    text: str
    examples: tuple[str, ...] = ()


COMMANDS: dict[str, About] = {
    "build": About(
        "Build seeds and models, and run their tests, in the order of the graph.",
        "Build the selected seeds and models in the order of the graph, and run the tests of each before anything that "
        "depends on it. When a node fails, or one of its tests does, what depends on it is skipped.",
        ("build -s state:modified+ --defer --state prod-artifacts", "build --full-refresh -s orders+"),
    ),
    "run": About(
        "Build models, without seeds and tests.",
        "Build the selected models in the order of the graph. When one fails, what depends on it is skipped.",
        ("run -s orders", "run -s tag:nightly --exclude +old_report"),
    ),
    "test": About(
        "Run tests.",
        "Run the tests of the selected nodes. A test fails when its query finds rows; with severity warn it warns.",
        ("test -s orders", "test -s test_type:singular --store-failures"),
    ),
    "snapshot": About(
        "Note what has changed in the rows of snapshots.",
        "Run the selected snapshots: each keeps the versions of its query's rows, with the time from which and until "
        "which they were valid.",
        ("snapshot", "snapshot -s orders_history"),
    ),
    "seed": About(
        "Load the project's CSV files into tables.",
        "Load the selected CSV files of the seeds folders into tables.",
        ("seed", "seed -s countries --full-refresh --show"),
    ),
    "compile": About(
        "Write the SQL that would run, without running it.",
        "Render the selected nodes into target/compiled, and print the SQL of a single one. Templates that ask the "
        "database still do; nothing is built.",
        ("compile -s orders --defer --state prod-artifacts", "compile --inline \"select * from {{ ref('orders') }}\""),
    ),
    "show": About(
        "Show the first rows of a node, or of any query.",
        "Run the query of the selected nodes, or of --inline, and print its first rows. References go where they go in a "
        "run, deferral included. Nothing is built or written.",
        (
            "show -s orders --limit 20",
            "show --inline \"select count(*) from {{ ref('orders') }}\" --defer --state prod",
            'show --inline-direct "select 1" --output json',
        ),
    ),
    "clone": About(
        "Clone relations from a state's environment.",
        "Copy what the state's environment has of the selected models, seeds and snapshots into the target: tables with "
        "their rows (by the engine's own clone where it has one), and a view as a view upon the state's. What stands in the "
        "target already is left alone; with --full-refresh it is replaced. No hooks run, and nothing is built.",
        (
            "clone -s state:modified+,config.materialized:incremental --state prod-artifacts",
            "clone -s orders --state prod-artifacts --full-refresh --clone-limit 10000",
        ),
    ),
    "retry": About(
        "Run again what failed in the last run.",
        "Take up the run whose run_results.json stands in the target directory (or in --state): what failed there, was "
        "skipped or was interrupted runs again, with that run's selection, state, variables and options. Options that are "
        "given here win.",
        ("retry", "retry --threads 1 --fail-fast"),
    ),
    "run-operation": About(
        "Call a macro.",
        "Call one macro of the project or of a package, with the arguments that --args gives. Its refs are deferred like "
        "those of a model. Each statement commits by itself.",
        ("run-operation grant_select --args '{role: reporter}'",),
    ),
    "source freshness": About(
        "Check how old the sources' data is.",
        "Ask the database when the selected sources were last loaded, hold it against their warn_after and error_after, "
        "and write sources.json. 'source_status:fresher' then selects what has new data since --state.",
        ("source freshness -s source:raw", "source freshness --threads 8"),
    ),
    "list": About(
        "List what a selection selects.",
        "Print the selected resources, one line each. Nothing is built.",
        ("list -s state:modified+ --state prod-artifacts", "list -s +orders --output json --output-keys name tags"),
    ),
    "parse": About(
        "Read and check the project, and write its manifest.json.",
        "Read the whole project, check it, and write target/manifest.json. Needs no database.",
    ),
    "docs generate": About(
        "Write the project's documentation: a page to search and browse.",
        "Compile the selected nodes, ask the database for the columns of what stands there, and write index.html, "
        "manifest.json and catalog.json into the target directory. 'docs serve' shows the page; with --static it is "
        "one file that needs no server.",
        ("docs generate", "docs generate --static --defer --state prod-artifacts"),
    ),
    "docs serve": About(
        "Show the documentation in the browser.",
        "Serve the page that 'docs generate' wrote, on this machine only unless --host says otherwise. Ctrl-C ends it.",
        ("docs serve", "docs serve --port 8001 --no-browser"),
    ),
    "plan": About(
        "Show what 'build' would do, and why, without doing it.",
        "Say for the same arguments what 'build' would build and why, which references would read which environment, what "
        "stands there, and how long it took there. Nothing is sent but look-ups. With --output json, in the form of "
        "docs/reference/plan-schema.json.",
        ("plan -s state:modified+ --defer --state prod-artifacts", "plan -s orders+ --output json"),
    ),
    "explain": About(
        "Explain why nodes are built, and where their references go.",
        "For each node: how it differs from the state, what brought it into the selection, and for every reference the "
        "relation that is read, the rule that decided, and the relations that lost. The selection is that of a build; "
        "without --select, of the named nodes alone.",
        (
            "explain orders --defer --state prod-artifacts",
            "explain orders -s state:modified+ --defer --state prod-artifacts",
        ),
    ),
    "deps": About(
        "Install the packages that the project asks for.",
        "Install what packages.yml or dependencies.yml asks for into dbt_packages: from the package hub, from git, from "
        "archives and from folders, in the versions of package-lock.yml where that is up to date.",
        ("deps", "deps --upgrade", "deps --add-package dbt-labs/dbt_utils@1.3.0"),
    ),
    "init": About(
        "Begin a project that builds at once.",
        "Write a small project into a new folder: a seed, two models, tests, documentation, and a profile for DuckDB. "
        "Nothing that exists is changed.",
        ("init shop", "init shop --profile warehouse"),
    ),
    "debug": About(
        "Check the project, the profile and the connection.",
        "Say what is found of project, profile and target, and whether the target can be reached.",
        ("debug --target prod", "debug --connection"),
    ),
    "clean": About(
        "Delete what runs leave behind: the project's clean-targets and the kept parse.",
        "Delete the folders that dbt_project.yml names under clean-targets (else: target), and the parse that is kept.",
    ),
}
"""The commands in the order in which help lists them."""

ALIASES = {"ls": "list", "source snapshot-freshness": "source freshness"}

MEANWHILE = "Run it with dbt meanwhile: both work on the same project and read the same artifacts"
LATER: dict[str, str] = {
    "state": "Copy the target directory of a production run, and name the copy with --state",
    "ci": "Use 'build -s state:modified+ --defer --state FOLDER'",
    "sandbox": "Use a target with a schema of its own, and --defer",
}
"""Commands that are not in this version -> what to do instead."""

"""`clean`: delete the folders that `clean-targets` names (dbt 1.11: CleanTask), and the parse that is kept."""

from __future__ import annotations

import os
import shutil

from understudy.app.events import Output
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import project_options
from understudy.cache.slots import FOLDER
from understudy.core.project import Package
from understudy.core.warning import Warning_
from understudy.errors import ArtifactError, Place, UsageError
from understudy.project.layout import load_layout


def clean(invocation: Invocation) -> Outcome:
    """Delete the project's clean-targets, and the cache; the ledger and what git baselines were made of stay.

    Raises:
        UsageError: one of them holds source files, or lies outside of the project (unless
            `--no-clean-project-files-only`); then nothing is deleted.
        ArtifactError: a folder cannot be deleted.
    """
    layout = load_layout(project_options(invocation))
    invocation.warn(*layout.warnings)
    if "dbt_modules" in layout.clean_targets and layout.packages_path not in layout.clean_targets:
        message = f"clean-targets names dbt_modules; packages stand in {layout.packages_path} now"
        invocation.warn(Warning_("PackageInstallPathDeprecation", message))
    root = os.path.realpath(layout.root.root)
    paths = sorted({os.path.realpath(os.path.join(root, path)) for path in layout.clean_targets})
    for path in paths:
        _check(path, root, layout.root, within=invocation.options.clean_project_files_only)
    for path in (*paths, os.path.join(root, FOLDER)):
        if not os.path.lexists(path):
            continue
        try:
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        except OSError as error:
            raise ArtifactError(f"Cannot delete {path}: {error.strerror}", place=Place(path)) from error
        invocation.emit(Output(f"Deleted {os.path.relpath(path, root)}"))
    return Outcome()


def _check(path: str, root: str, package: Package, *, within: bool) -> None:
    """Refuse what must not be deleted: the project, its sources, anything around them."""
    sources = [os.path.realpath(os.path.join(root, each)) for paths in package.paths.values() for each in paths]
    for source in (root, *sources):
        if os.path.commonpath((path, source)) == path:
            raise UsageError(f"clean-targets names {path}, which holds source files", hint="Take it out of the list")
    if within and os.path.commonpath((path, root)) != root:
        hint = "--no-clean-project-files-only allows that"
        raise UsageError(f"clean-targets names {path}, which is not in the project", hint=hint)

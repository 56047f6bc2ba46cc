"""What a parse depended on beyond its texts, as digests: so that another run can tell whether it would find the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.core.input import EVERY_RUN, Input
from understudy.core.project import Settings, package_vars

NOTHING = b""
"""The digest of what is not there."""
NEVER = b"?"
"""The digest of what is never the same again."""
SIZE = 16

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode


def digest(value: Any) -> bytes:
    """A digest of plain data."""
    return hashlib.blake2b(_encode(value), digest_size=SIZE).digest()


class Inputs:
    """Answers what an input is in this run, each once.

    Args:
        texts: ("file", package, path) and others that the project's files answer -> digest; what is not in it is not there.
    """

    def __init__(self, settings: Settings, texts: Mapping[Input, bytes]) -> None:
        self._settings = settings
        self._texts = texts
        self._vars: dict[str, Mapping[str, Any]] = {}

    def now(self, input: Input) -> bytes:
        """The digest of an input; NOTHING where there is no such thing, NEVER where each run finds another."""
        match input:
            case ("var", package, name):
                if package not in self._vars:
                    self._vars[package] = package_vars(self._settings, package)
                found = self._vars[package]
                return digest(found[name]) if name in found else NOTHING
            case ("env", name):
                value = self._settings.env(name)
                return NOTHING if value is None else digest(value)
            case ("flag", name):
                from understudy.template.contexts.flags import Flags

                return digest(Flags(self._settings.flags).get(name))
            case _ if input in EVERY_RUN:
                return NEVER
        return self._texts.get(input, NOTHING)

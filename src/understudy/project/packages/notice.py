"""What is told while packages are resolved and installed, and what must not be told: secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from understudy.core.warning import Warning_

SECRET = "DBT_ENV_SECRET_"
MASK = "*****"


class Notice(msgspec.Struct, frozen=True):
    """One line of progress. `name` is dbt's name of the event (`DepsStartPackageInstall`)."""

    name: str
    message: str


Tell = Callable[[Notice | Warning_], None]


def scrubber(environment: Mapping[str, str]) -> Callable[[str], str]:
    """Masks the values of `DBT_ENV_SECRET_*` (dbt 1.11: scrub_secrets)."""
    secrets = [value for key, value in environment.items() if key.startswith(SECRET) and value.strip()]
    secrets.sort(key=len, reverse=True)  # one secret may be a part of another

    def scrub(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, MASK)
        return text

    return scrub


def without_password(text: str) -> str:
    """A text whose URLs show no user and password."""
    return re.sub(r"(?<=://)[^/\s@]+(?=@)", MASK, text)

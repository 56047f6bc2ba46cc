"""How numbers, lists and foreign text are written for people."""

from __future__ import annotations

import re

PLURALS = {"analysis": "analyses", "saved_query": "saved queries"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """Text from outside, such as a driver's message, with its control codes spelt out instead of obeyed."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))


def count(number: int, kind: str) -> str:
    """`1 model`, `14 models`, `3 unit tests`."""
    words = kind.replace("_", " ")
    return f"{number:,} {words if number == 1 else PLURALS.get(kind, f'{words}s')}"


def enumerate_words(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def duration(seconds: float) -> str:
    """`0.05 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def ago(seconds: float) -> str:
    """`just now`, `5 min ago`, `2 h ago`, `3 days ago`."""
    if seconds < 60:
        return "just now"
    for unit, size, most in (("min", 60, 60), ("h", 3600, 48)):
        if seconds < size * most:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds // 86400)} days ago"


def shorten(text: str, width: int) -> str:
    """Text of at most `width` letters; where it is longer, its beginning and end with an ellipsis between."""
    if len(text) <= width:
        return text
    tail = max((width - 1) // 3, 0)
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"

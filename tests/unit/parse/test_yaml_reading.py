"""YAML: the same values as PyYAML's SafeLoader, faster; and errors with lines."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import YamlError
from understudy.parse import yaml

DOCUMENTS = [
    "",
    "# only a comment",
    "---\n",
    "a: 1\nb: [1, 2.5, 1e3, 0x1F, 0o17, 017, 1_000, .5, -3, +4, 12:30:45]\n",
    "a: [yes, No, on, OFF, true, False, y, n, ~, null, NULL, '', Null]\n",
    "a: 2024-01-02\nb: 2024-01-02 10:11:12\nc: 2024-01-02T10:11:12.5Z\nd: '2024-01-02'\n",
    "a: !!str 5\nb: !!int '5'\nc: !!float 1\nd: ! 12\ne: !!bool 'yes'\n",
    "a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: {c: 4, <<: [*x, {z: 1, b: 9}]}\n",
    "a: |\n  text\n  more\nb: >-\n  folded\n  text\nc: |+\n  kept\n\n",
    "? a\n: b\n1: one\ntrue: yes\n2.5: float\n",
    "- a\n- - b\n  - {c: d}\n- [e, [f]]\n",
    "a: \"q\\n\\u00e9 {{ x }}\"\nb: 'it''s'\n",
    "b: '<<'\nc: <\n",
    "x: {a: , b: }\n",
    "emoji: 🐤\nkey with space: 1\n",
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_values_are_those_of_pyyaml(text: str) -> None:
    ours, theirs = yaml.load(text, "f.yml"), pyyaml.safe_load(text)
    assert ours == theirs
    assert repr(ours) == repr(theirs)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN, st.booleans())
def test_what_is_dumped_is_read_again(value: object, flow: bool) -> None:
    text = pyyaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert yaml.load(text, "f.yml") == pyyaml.safe_load(text)


@given(st.text(alphabet=" \n-:[]{}abc#&*!|>'\"%@`,?1.<", max_size=40))
def test_any_text_is_read_or_refused_as_pyyaml_does(text: str) -> None:
    try:
        theirs, refused = pyyaml.load(text, Loader=pyyaml.CSafeLoader), False
    except (pyyaml.YAMLError, ValueError, TypeError):
        theirs, refused = None, True
    try:
        ours = yaml.load(text, "f.yml")
    except YamlError:
        assert refused or "&" in text  # an alias inside of its own anchor is refused by us only
    else:
        assert refused or repr(ours) == repr(theirs)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n b: [", 2, "no valid YAML"),
        ("a: 1\n---\nb: 2", 2, "single document"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", 2, "constructor"),
        ("a: 1\nb: !mine x", 2, "constructor"),
        ("a: *nobody", 1, "undefined alias"),
        ("a: &a [*a]", 1, "inside of what it stands for"),
        ("\n\na: 2024-13-45", 3, "no valid timestamp"),
        ("? [a]\n: b", 1, "no scalar"),
        ("a: {<<: 5}", 1, "merging"),
        ("[" * 300 + "]" * 300, 1, "nested too deeply"),
    ],
)
def test_errors_have_path_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlError, match=words) as caught:
        yaml.load(text, "models/x.yml")
    place = caught.value.place
    assert place is not None
    assert (place.path, place.line) == ("models/x.yml", line)


def test_a_bare_equals_sign_is_text() -> None:
    assert yaml.load("a: =", "f.yml") == {"a": "="}  # PyYAML's SafeLoader has no constructor for it


def test_aliases_cannot_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(YamlError, match="too much"):
        yaml.load("\n".join(lines), "f.yml")


def test_a_duplicate_key_is_a_warning_and_the_last_one_counts() -> None:
    value, warnings = yaml.load_checked("a: 1\nb: 2\na: 3", "f.yml")
    assert value == {"a": 3, "b": 2}
    assert [(w.name, w.place.line) for w in warnings if w.place] == [("DuplicateYAMLKeysDeprecation", 3)]


def test_lines_are_found_by_path_and_by_name() -> None:
    text = "models:\n  - name: a\n  - name: b\n    columns:\n      - name: id\n        tests:\n          - unique\n"
    assert yaml.line_of(text, ["models", 1]) == 3
    assert yaml.line_of(text, ["models", "b"]) == 3
    assert yaml.line_of(text, ["models", "b", "columns", "id", "tests", "unique"]) == 7
    assert yaml.line_of(text, ["models", "b", "nothing"]) == 3
    assert yaml.line_of(text, ["seeds"]) is None
    assert yaml.line_of("a: [", ["a"]) is None

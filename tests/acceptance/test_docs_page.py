"""The documentation's page in a real browser, from the server and from a file."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.browser import browser
from support.cli import ok, project, query

from understudy.app.serving import open_server

HOSTILE = '<script>window.owned = 1</script><img src=x onerror="window.owned = 1"> & <b>bold</b>'
FILES = {
    "models/staging/stg_orders.sql": "select 1 as id, 9.99::decimal(9, 2) as \"<i>price</i>\" from {{ ref('names') }}",
    "models/marts/orders.sql": "{{ config(materialized='table', tags=['nightly']) }}\nselect id from {{ ref('stg_orders') }}",
    "models/marts/quo'te.sql": "select id from {{ ref('orders') }}",
    "models/schema.yml": f"""
        models:
          - name: stg_orders
            description: {json.dumps(HOSTILE)}
            columns:
              - name: id
                description: "**Key.** [bad](javascript:window.owned=1) [good](https://example.com/a)"
                data_tests: [not_null, unique]
              - name: never_built
          - name: orders
            description: |
              Orders that count.

              | state | meaning |
              |---|---|
              | `new` | just made |
            columns:
              - name: id
                description: The number of the order.
                data_tests:
                  - relationships:
                      arguments: {{to: ref('stg_orders'), field: id}}
        exposures:
          - name: board
            label: Board report
            type: dashboard
            url: "javascript:window.owned=1"
            owner: {{name: Finance, email: finance@example.com}}
            depends_on: [ref('orders')]
        """,
    "seeds/names.csv": "id\n1\n",
    "macros/cents.sql": "{% macro cents(x) %}{{ x }} * 100{% endmacro %}",
}


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("docs"), FILES)
    ok("build", cwd=root)
    query(root, "create schema prod")
    ok("docs", "generate", "--static", cwd=root)
    return root / "target"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(chrome: Any) -> Iterator[Any]:
    """A page that fails the test when its script fails, or asks anybody but its own server."""
    context = chrome.new_context(viewport={"width": 1300, "height": 900}, color_scheme="light")
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "http://127.0.0.1:")) else problems.append(request.url)
        ),
    )
    yield opened
    owned = opened.evaluate("window.owned")
    context.close()
    assert problems == []
    assert owned is None


@pytest.fixture
def home(docs: Path, page: Any) -> Iterator[Any]:
    """The page as the server shows it."""
    server = open_server("127.0.0.1", 0, str(docs), lambda text: None)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        page.wait_for_selector("h1")
        yield page
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def opened(page: Any, static: Path, address: str) -> Any:
    page.goto(f"{static.as_uri()}#{address}")
    page.wait_for_selector("h1, svg.graph")
    return page


def sees(page: Any, selector: str, texts: list[str]) -> None:
    """Wait until these are the elements' texts."""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_have_text(texts)


def see(page: Any, selector: str, wanted: int | str | re.Pattern[str]) -> None:
    """Wait until there are so many elements, or the first one's text is this: the page draws when it has time."""
    from playwright.sync_api import expect

    if isinstance(wanted, int):
        expect(page.locator(selector)).to_have_count(wanted)
    else:
        expect(page.locator(selector).first).to_have_text(wanted)


def test_search_finds_a_model_and_its_page_shows_columns_and_sql(home: Any) -> None:
    home.keyboard.press("/")
    home.keyboard.type("number of the ord")  # words of a column's description
    sees(home, ".found li .found-name", ["orders"])
    home.fill("#search", "order")
    see(home, ".found li .found-name >> nth=0", "orders")
    see(home, ".found li .found-name >> nth=1", "stg_orders")
    home.keyboard.press("ArrowDown")
    home.keyboard.press("ArrowUp")
    home.keyboard.press("Enter")
    see(home, "h1", "orders")
    assert home.url.endswith("#/model/model.shop.orders")
    assert home.locator("table.columns tbody tr").first.inner_text().split()[:3] == ["id", "INTEGER", "The"]
    assert home.locator(".check").all_inner_texts() == ["relationships\nstg_orders.id"]
    assert "config(materialized='table', tags=['nightly'])" in home.locator(".code").inner_text()
    home.get_by_role("tab", name="Compiled").click()
    assert '"dev"."stg_orders"' in home.locator(".code").inner_text()
    assert home.locator(".prose table td").all_inner_texts() == ["new", "just made"]
    home.get_by_role("tab", name="Source").click()
    home.locator(".code a").click()
    see(home, "h1", "stg_orders")


def test_search_by_tag_and_column(home: Any) -> None:
    for words, found in (("tag:nightly", ["orders"]), ("column:never", ["stg_orders"]), ("no such thing", [])):
        home.fill("#search", words)
        sees(home, ".found .found-name", found)
    home.fill("#search", "column:never")
    home.keyboard.press("Enter")
    see(home, "tr.wanted th", re.compile("^never_built"))
    assert "not in the database" in home.locator("tr.wanted").inner_text()


def test_the_graph_can_be_clicked(home: Any) -> None:
    home.get_by_role("link", name="Graph", exact=True).click()
    see(home, "svg.graph .node", 5)
    home.locator("svg.graph [data-id='model.shop.orders']").click()
    see(home, ".panel h2", "orders")
    assert "2 above, 2 below" in home.locator(".panel").inner_text()
    home.get_by_role("link", name="Focus").click()
    home.get_by_role("button", name="fewer steps up").click()
    home.get_by_role("button", name="fewer steps up").click()
    see(home, "svg.graph .node", 3)  # itself and what lies below
    home.get_by_role("button", name="exposures").click()
    see(home, "svg.graph .node", 2)
    home.get_by_role("link", name="Open", exact=True).click()
    see(home, "h1", "orders")
    home.locator(".lineage [data-id='exposure.shop.board']").click()
    see(home, "h1", "Board report")
    assert home.locator("a[href^='javascript']").count() == 0


def moved(element: Any, before: dict[str, float]) -> dict[str, float]:
    """Where the element is, once it is no longer where it was and stands still."""
    last = before
    for _ in range(100):
        element.page.wait_for_timeout(40)
        now: dict[str, float] = element.bounding_box()
        if now != before and now == last:
            return now
        last = now
    raise AssertionError("it did not move")


def test_the_graph_pans_and_zooms(docs: Path, page: Any) -> None:
    opened(page, docs / "static_index.html", "/graph")
    node = page.locator("svg.graph [data-id='model.shop.orders']")
    node.wait_for()
    before = node.bounding_box()
    page.get_by_role("button", name="Zoom in").click()
    zoomed = moved(node, before)
    assert zoomed["width"] > before["width"]
    page.mouse.move(700, 600)
    page.mouse.down()
    page.mouse.move(760, 640, steps=4)
    page.mouse.up()
    dragged = moved(node, zoomed)
    assert (dragged["x"] - zoomed["x"], dragged["y"] - zoomed["y"]) == pytest.approx((60, 40), abs=1)
    assert page.locator(".panel").is_hidden()  # a drag picks nothing
    node.focus()
    page.keyboard.press("Enter")
    see(page, ".panel h2", "orders")


def test_text_of_the_project_stays_text(docs: Path, page: Any) -> None:
    opened(page, docs / "static_index.html", "/model/model.shop.stg_orders")
    assert HOSTILE in page.locator(".lead").inner_text()
    assert page.locator("main img, main script, main b, main i:not(.dot)").count() == 0
    assert page.locator("table.columns th[scope=row]").all_inner_texts()[1] == "<i>price</i>"
    assert page.locator("table.columns .prose strong").inner_text() == "Key."
    links = page.locator("table.columns .prose a")
    assert [link.get_attribute("href") for link in links.all()] == ["https://example.com/a"]
    assert "[bad](javascript:window.owned=1)" in page.locator("table.columns").inner_text()


def test_odd_names_have_pages(docs: Path, page: Any) -> None:
    opened(page, docs / "static_index.html", "/")
    page.locator(".side a", has_text="quo'te").click()
    see(page, "h1", "quo'te")
    see(page, ".side [aria-current]", "quo'te")
    opened(page, docs / "static_index.html", "/macro/macro.shop.cents")
    assert "* 100" in page.locator(".code").inner_text()
    opened(page, docs / "static_index.html", "/model/<b>nobody</b>")
    see(page, "h1", "Not in this project")
    assert "<b>nobody</b>" in page.locator("main").inner_text()
    opened(page, docs / "static_index.html", "!/model/model.shop.orders")  # as dbt spells it
    see(page, "h1", "orders")


def test_the_policy_keeps_scripts_out_that_are_not_ours(docs: Path, chrome: Any) -> None:
    context = chrome.new_context()
    page = opened(context.new_page(), docs / "static_index.html", "/")
    page.evaluate("document.querySelector('main').innerHTML = '<img src=x onerror=\"window.owned = 1\">'")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned = 1'}))")
    page.wait_for_timeout(200)
    assert page.evaluate("window.owned") is None
    context.close()


def test_light_dark_and_narrow(docs: Path, page: Any) -> None:
    opened(page, docs / "static_index.html", "/model/model.shop.orders")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate(ground) != light  # remembered
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Resources").click()
    page.locator(".side a", has_text="stg_orders").click()
    see(page, "h1", "stg_orders")


LAYOUT = """count => {
  const nodes = [], edges = [];
  let seed = 7;
  const random = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (let i = 0; i < count; i += 1) {
    nodes.push({ id: `n${i}`, width: 60 + random(120) });
    for (let k = 0; i > 10 && k < 2; k += 1) edges.push([`n${Math.max(0, i - 1 - random(Math.ceil(count / 8)))}`, `n${i}`]);
  }
  edges.push([`n${count - 1}`, `n${count / 2}`]); // a cycle must not hang it
  const started = performance.now();
  const plan = layout(nodes, edges.slice(0, -1));
  layout(nodes, edges);
  const spots = [...plan.nodes.values()];
  const columns = new Map();
  for (const spot of spots) columns.set(spot.x, [...(columns.get(spot.x) || []), spot.y]);
  const apart = [...columns.values()].every((ys) => ys.sort((a, b) => a - b).every((y, i) => !i || y - ys[i - 1] >= 31.9));
  const forward = edges.slice(0, -1).every(([a, b]) => plan.nodes.get(a).x + plan.nodes.get(a).width < plan.nodes.get(b).x);
  const inside = spots.every((s) => s.y >= 0 && s.y <= plan.height);
  return { apart, forward, all: spots.length === count, inside, seconds: (performance.now() - started) / 1000 };
}"""


def test_the_layout_keeps_nodes_apart_and_edges_forward(docs: Path, page: Any) -> None:
    opened(page, docs / "static_index.html", "/")
    for count in (12, 200, 4000):
        found = page.evaluate(LAYOUT, count)
        assert found.pop("seconds") < 10
        assert found == {"apart": True, "forward": True, "all": True, "inside": True}, count


MARKDOWN = [
    ("# A *b*", "<h2>A <em>b</em></h2>"),
    ("a_b_c and __x__ `**c**`", "<p>a_b_c and <strong>x</strong> <code>**c**</code></p>"),
    ("1. a\n2. b\n   - c\n\nd", "<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol><p>d</p>"),
    ("> q\n\n---\n", "<blockquote><p>q</p></blockquote><hr>"),
    ("```sql\n<x>\n```", "<pre><code>&lt;x&gt;</code></pre>"),
    ("[a](//evil.example) <a href=x>", "<p>[a](//evil.example) &lt;a href=x&gt;</p>"),
    ("[m](#!/model/model.x.y)", '<p><a href="#/model/model.x.y">m</a></p>'),
    ("![i](https://evil.example/i.png)", None),
    ("a|b\n-|-\n1|2", None),
    ("*" * 3000 + "[" * 3000 + "`" * 3000, None),
]


def test_markdown_is_shown_and_harmless(docs: Path, page: Any) -> None:
    opened(page, docs / "static_index.html", "/")
    for text, html in MARKDOWN:
        made = page.evaluate("text => { const at = h('div'); at.append(markdown(text)); return at.innerHTML; }", text)
        assert html is None or made == html
        assert "<img" not in made

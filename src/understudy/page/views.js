// The pages: the project, one resource, the graph. Each function takes what it shows and gives an element.

function overviewPage(project) {
  const shown = [...project.resources.values()].filter((each) => !each.hidden);
  const of = (kind) => shown.filter((each) => each.kind === kind);
  const models = of("model").filter((each) => each.package === project.name || project.name === "project");
  const counts = ["model", "source", "seed", "snapshot", "exposure", "test", "macro", "metric", "function"].map((kind) => [kind, of(kind).length]).filter(([, count]) => count);
  const head = project.head;
  return h(
    "article",
    { class: "page overview" },
    h("header", { class: "title" }, h("p", { class: "crumbs" }, "Project"), h("h1", {}, project.name), h("p", { class: "made" }, `${head.adapter_type || ""} · generated ${moment(head.generated_at)}`)),
    h("ul", { class: "counts" }, counts.map(([kind, count]) => h("li", {}, h("strong", {}, count.toLocaleString("en")), h("span", {}, h("i", { class: `dot k-${kind}` }), kindWord(kind, count !== 1))))),
    project.errors.length ? h("div", { class: "notice warn" }, h("strong", {}, "Not all of the database could be read. "), project.errors.join(" ")) : null,
    projectLineage(project, shown.filter((each) => IN_GRAPH.includes(each.kind) && each.kind !== "analysis")),
    project.overview ? h("section", { class: "card prose" }, markdown(project.overview)) : null,
    h("div", { class: "pair" }, coverageCard(models), listCard("Exposures", of("exposure"), "What uses the data outside of the project.")),
    listCard("Models that nothing depends on", models.filter((each) => !each.children.some((child) => IN_GRAPH.includes(child.kind))), "The ends of the graph, mostly what people look at."),
  );
}

function projectLineage(project, resources) {
  if (resources.length <= 150) return lineageCard(project, resources, null);
  return h("p", {}, h("a", { class: "button", href: "#/graph" }, `See the graph of ${resources.length.toLocaleString("en")} nodes`));
}

/** How much of the models is described and tested. */
function coverageCard(models) {
  const columns = models.flatMap((model) => model.columns);
  const tested = (each) => each.tests.length || each.columns.some((column) => column.tests.length);
  const rows = [
    ["Models described", models.filter((each) => each.description).length, models.length],
    ["Models tested", models.filter(tested).length, models.length],
    ["Columns described", columns.filter((each) => each.description).length, columns.length],
  ].filter(([, , of]) => of);
  if (!rows.length) return null;
  const meter = ([label, count, of]) => [
    h("dt", {}, label, h("span", {}, `${count} of ${of}`)),
    h("dd", {}, svg("svg", { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", role: "img", "aria-label": `${Math.round((100 * count) / of)} %` }, svg("rect", { width: 100, height: 4 }), svg("rect", { class: "full", width: (100 * count) / of, height: 4 }))),
  ];
  return h("section", { class: "card" }, h("h2", {}, "Coverage"), h("dl", { class: "meters" }, rows.map(meter)));
}

function listCard(title, resources, about) {
  if (!resources.length) return null;
  const sorted = [...resources].sort((a, b) => compareNames(a.name, b.name));
  return h("section", { class: "card" }, h("h2", {}, title), about && h("p", { class: "about" }, about), resourceList(sorted));
}

function resourceList(resources, most = 60) {
  const item = (each) => h("li", {}, resourceLink(each), h("span", { class: "sum" }, summary(each.description)));
  const rest = resources.slice(most);
  const list = h("ul", { class: "resources" }, resources.slice(0, most).map(item));
  if (rest.length) {
    const more = h("button", { type: "button", class: "more", onclick: () => more.parentNode.replaceWith(...rest.map(item)) }, `Show ${rest.length} more`);
    list.append(h("li", {}, more));
  }
  return list;
}

function resourceLink(resource) {
  return h("a", { class: "resource", href: hrefOf(resource) }, h("i", { class: `dot k-${resource.kind}`, title: kindWord(resource.kind) }), resource.name);
}

function moment(text) {
  const date = new Date(text || "");
  return Number.isNaN(date.getTime()) ? "at an unknown time" : date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

// One resource

function resourcePage(project, resource, column) {
  const parts = [
    header(project, resource),
    deferralNotice(project, resource),
    resource.description ? h("section", { class: "prose lead" }, markdown(resource.description)) : null,
    IN_GRAPH.includes(resource.kind) ? lineageCard(project, around(resource, 2, 2, new Set(IN_GRAPH)), resource) : null,
    columnsCard(resource, column),
    argumentsCard(resource),
    testsCard(resource),
    codeCard(project, resource),
    neighbours(resource),
  ];
  return h("article", { class: "page with-aside" }, h("div", { class: "body" }, parts), aside(project, resource));
}

function header(project, resource) {
  const folders = resource.path.split("/").slice(0, -1);
  const crumbs = [resource.package, ...folders].filter(Boolean);
  const badge = (text, kind, title) => (text ? h("span", { class: `badge ${kind}`, title }, text) : null);
  const notTold = ["", "protected"];
  return h(
    "header",
    { class: "title" },
    h("p", { class: "crumbs" }, crumbs.flatMap((each, i) => (i ? [h("span", {}, "/"), each] : [each]))),
    h("h1", {}, resource.name),
    h(
      "p",
      { class: "badges" },
      h("span", { class: "badge kind" }, h("i", { class: `dot k-${resource.kind}` }), kindWord(resource.kind)),
      resource.materialized !== resource.kind && badge(resource.materialized, "plain", "How it is built"),
      resource.node.deprecation_date && badge("deprecated", "warn", String(resource.node.deprecation_date)),
      badge(resource.contract && "contract", "good", "Its columns are promised, and checked when it is built"),
      badge(!notTold.includes(resource.access) && resource.access, "plain", "Who may refer to it"),
      badge(resource.group && `group ${resource.group}`, "plain"),
      badge(resource.owner && `owner ${resource.owner}`, "owner"),
      resource.tags.map((tag) => h("span", { class: "badge tag", title: "Tag" }, `#${tag}`)),
    ),
  );
}

function deferralNotice(project, resource) {
  const decision = project.decisions[resource.id];
  if (!decision) return null;
  if (!decision.deferred) return null;
  return h(
    "div",
    { class: "notice stand-in" },
    h("strong", {}, "Stood in for by "),
    h("code", {}, decision.relation),
    h("span", {}, ` (${decision.reason}${decision.state ? `; state ${decision.state}` : ""}). References read it there, and so do the columns below.`),
  );
}

function columnsCard(resource, wanted) {
  const { columns } = resource;
  if (!columns.length) return null;
  const typed = columns.some((column) => column.type);
  const tested = columns.some((column) => column.tests.length || column.constraints.length);
  const rows = columns.map((column) => {
    const row = h(
      "tr",
      { class: [column.missing && "missing", wanted === column.name && "wanted"].filter(Boolean).join(" ") || null },
      h("th", { scope: "row" }, column.name, column.missing && h("span", { class: "note", title: "The project describes it, the relation in the database has no such column" }, "not in the database")),
      typed && h("td", { class: column.type.length > 26 ? "type long" : "type" }, column.type),
      h("td", { class: "prose" }, column.description ? markdown(column.description) : null, column.tags.map((tag) => h("span", { class: "badge tag" }, `#${tag}`))),
      tested && h("td", { class: "checks" }, column.constraints.map((each) => h("span", { class: "check constraint", title: "Constraint" }, each.replace("_", " "))), column.tests.map(testChip)),
    );
    if (wanted === column.name) requestAnimationFrame(() => row.scrollIntoView({ block: "center" }));
    return row;
  });
  const heads = ["Column", typed && "Type", "Description", tested && "Tests"].filter(Boolean);
  return h(
    "section",
    { class: "card flush" },
    h("h2", {}, "Columns", h("span", { class: "count" }, columns.length)),
    h("div", { class: "scroll" }, h("table", { class: "columns" }, h("thead", {}, h("tr", {}, heads.map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, rows))),
  );
}

function testChip(test) {
  const { word, detail } = testWords(test);
  const severity = String((test.node.config || {}).severity || "error").toLowerCase();
  const title = [test.name, detail && `${word}: ${detail}`, severity === "warn" && "warns only"].filter(Boolean).join("\n");
  return h("a", { class: `check ${severity === "warn" ? "soft" : ""}`, href: hrefOf(test), title }, word, detail && h("span", {}, shortText(detail, 28)));
}

function shortText(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function argumentsCard(resource) {
  const given = resource.node.arguments;
  if (!Array.isArray(given) || !given.length || !["macro", "function"].includes(resource.kind)) return null;
  const row = (each) => h("tr", {}, h("th", { scope: "row" }, each.name), h("td", { class: "type" }, each.type || each.data_type || ""), h("td", { class: "prose" }, markdown(each.description || "")));
  return h("section", { class: "card flush" }, h("h2", {}, "Arguments"), h("div", { class: "scroll" }, h("table", { class: "columns" }, h("tbody", {}, given.map(row)))));
}

function testsCard(resource) {
  if (!resource.tests.length) return null;
  return h("section", { class: "card" }, h("h2", {}, "Tests", h("span", { class: "count" }, resource.tests.length)), h("p", { class: "checks" }, resource.tests.map(testChip)));
}

function codeCard(project, resource) {
  const node = resource.node;
  const language = node.language === "python" ? "python" : "sql";
  const raw = resource.kind === "macro" ? node.macro_sql : resource.kind === "seed" ? "" : node.raw_code;
  const tabs = [["Source", raw, (jinja) => refs(resource, jinja)], ["Compiled", node.compiled_code, null]].filter(([, code]) => code);
  if (!tabs.length) return null;
  const body = h("div", { class: "code" });
  const copy = h("span");
  const buttons = tabs.map(([label, code, linked]) => {
    const choose = () => {
      buttons.forEach((each) => each.setAttribute("aria-selected", String(each === button)));
      fill(body, h("pre", {}, h("code", {}, highlight(code.replace(/\s+$/, ""), language, linked))));
      fill(copy, copyButton(() => code, "Copy the code"));
    };
    const button = h("button", { type: "button", role: "tab", onclick: choose }, label);
    return button;
  });
  const start = tabs.findIndex(([label]) => label === "Source");
  const card = h("section", { class: "card flush" }, h("h2", {}, "Code", h("span", { class: "tabs", role: "tablist", hidden: buttons.length < 2 }, buttons), copy), body);
  buttons[Math.max(start, 0)].click();
  return card;
}

/** `ref` and `source` calls of a Jinja expression as links to what they name. */
function refs(resource, jinja) {
  const out = [];
  let last = 0;
  for (const found of jinja.matchAll(/\b(ref|source)\s*\(([^()]*)\)/g)) {
    const names = [...found[2].matchAll(/(['"])(.*?)\1/g)].map((each) => each[2]);
    const target = resource.parents.find((parent) =>
      found[1] === "source" ? parent.kind === "source" && parent.name === names.join(".") : parent.kind !== "source" && (parent.key === names[names.length - 1] || parent.key === names[0] || parent.key === names[1]),
    );
    if (!target) continue;
    out.push(jinja.slice(last, found.index), h("a", { href: hrefOf(target) }, found[0]));
    last = found.index + found[0].length;
  }
  return [...out, jinja.slice(last)];
}

function neighbours(resource) {
  const plain = (list) => list.filter((each) => !["test", "unit_test", "operation"].includes(each.kind));
  const up = [...plain(resource.parents), ...resource.macros];
  const down = resource.kind === "macro" ? resource.children.filter((each) => each.kind !== "operation") : plain(resource.children);
  const column = (title, list) => h("section", { class: "card" }, h("h2", {}, title, h("span", { class: "count" }, list.length)), list.length ? resourceList(list) : h("p", { class: "about" }, title !== "Depends on" ? "Nothing uses it." : ["source", "seed"].includes(resource.kind) ? "Nothing: data starts here." : "Nothing."));
  return h("div", { class: "pair" }, column("Depends on", up), column("Used by", down));
}

function aside(project, resource) {
  const node = resource.node;
  const config = node.config || {};
  const relation = resource.relation.join(".");
  const facts = [
    ["Relation", relation && copyable(relation, "Copy the name")],
    ["In the database", resource.table ? [resource.table.metadata.type.toLowerCase(), resource.table.metadata.owner && `, owner ${resource.table.metadata.owner}`] : relation ? "not found" : null],
    ["Comment", resource.table && resource.table.metadata.comment !== node.description ? resource.table.metadata.comment : null],
    ...figures(resource.table),
    ["Type", resource.kind === "exposure" ? node.type : null],
    ["Maturity", node.maturity],
    ["Link", safeUrl(node.url) && h("a", { href: node.url, rel: "noopener noreferrer", target: "_blank" }, node.url)],
    ["Owner", resource.owner],
    ["Group", resource.group],
    ["Access", resource.access],
    ["Incremental", config.incremental_strategy],
    ["Unique key", [].concat(config.unique_key || []).join(", ")],
    ["Loader", node.loader],
    ["Loaded at", node.loaded_at_field],
    ["Freshness", freshness(node.freshness)],
    ["Returns", node.returns && node.returns.data_type],
    ["Versions", versions(project, resource)],
    ["Deprecated", node.deprecation_date],
    ["Language", node.language === "python" ? "Python" : null],
    ["Package", resource.package],
    ["File", resource.path && copyable(resource.path, "Copy the path")],
    ["Described in", node.patch_path ? h("code", {}, String(node.patch_path).replace(/^\w+:\/\//, "")) : null],
    ["Meta", meta(Object.keys(node.meta || {}).length ? node.meta : config.meta)],
  ].filter(([, value]) => value && (!Array.isArray(value) || value.some(Boolean)));
  return h("aside", { class: "facts", "aria-label": "Details" }, h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function copyable(text, label) {
  return h("span", { class: "copyable" }, h("code", {}, text.split(/(?<=[./])/).flatMap((part) => [part, h("wbr")])), copyButton(() => text, label));
}

function figures(table) {
  return Object.values((table && table.stats) || {}).filter((each) => each.include).map((each) => [each.label, String(each.value)]);
}

function safeUrl(url) {
  return typeof url === "string" && /^https?:\/\//i.test(url);
}

function freshness(rule) {
  if (!rule) return null;
  const words = ["warn_after", "error_after"].filter((key) => rule[key] && rule[key].count).map((key) => `${key.split("_")[0]} after ${rule[key].count} ${rule[key].period}${rule[key].count === 1 ? "" : "s"}`);
  return words.join(", ");
}

function versions(project, resource) {
  if (resource.kind !== "model" || !resource.node.latest_version) return null;
  const all = [...project.resources.values()].filter((each) => each.kind === "model" && each.key === resource.key && each.package === resource.package);
  return all.map((each) => [h("a", { href: hrefOf(each) }, `v${each.node.version}`), String(each.node.version) === String(resource.node.latest_version) ? " (latest) " : " "]);
}

function meta(values) {
  const entries = Object.entries(values || {});
  if (!entries.length) return null;
  return entries.map(([key, value]) => h("div", { class: "meta" }, h("span", {}, key), " ", typeof value === "object" ? JSON.stringify(value) : String(value)));
}

// The graph

/** A piece of the graph within a page. */
function lineageCard(project, resources, focus) {
  const shown = [...resources];
  if (shown.length < 2) return null;
  const graph = new Graph(byFolder(shown), {
    focus: focus && focus.id,
    decisions: project.decisions,
    still: true,
    onpick: (resource) => resource && resource !== focus && go(hrefOf(resource)),
  });
  const tall = Math.max(140, Math.min(focus ? 380 : 440, graph.plan.height + 64));
  const frame = h("div", { class: "graph-frame" }, graph.element);
  frame.style.height = `${tall}px`;
  requestAnimationFrame(() => {
    graph.fit(1);
    if (focus && graph.view.scale < 0.55) graph.show(focus.id, 0.8);
  });
  const open = h("a", { class: "aside-link", href: focus ? `#/graph/${encodeURIComponent(focus.id)}` : "#/graph" }, icon("graph"), "Open in graph");
  return h("section", { class: "card flush lineage" }, h("h2", {}, "Lineage", graphButtons(graph), open), frame);
}

/** Neighbours in the disk's order stand near each other, which gives the layout a good start. */
function byFolder(resources) {
  return [...resources].sort((a, b) => compareNames(a.path, b.path) || compareNames(a.name, b.name));
}

/** The graph of the whole project, or of what lies around one node. */
function graphPage(project, focus, state) {
  const kinds = new Set(IN_GRAPH.filter((kind) => !state.without.has(kind)));
  const all = [...project.resources.values()].filter((each) => IN_GRAPH.includes(each.kind) && !each.hidden);
  const shown = focus ? [...around(focus, state.up, state.down, kinds)] : all.filter((each) => kinds.has(each.kind));
  const panel = h("div", { class: "panel", hidden: true });
  const graph = new Graph(byFolder(shown), {
    focus: focus && focus.id,
    decisions: project.decisions,
    label: "Lineage of the project",
    onpick: (resource) => pickInGraph(project, graph, panel, resource),
    onopen: (resource) => go(hrefOf(resource)),
  });
  requestAnimationFrame(() => {
    graph.fit();
    if (focus && graph.view.scale < 0.45) graph.show(focus.id, 0.9);
    if (focus) pickInGraph(project, graph, panel, focus);
  });
  return h("div", { class: "graph-page" }, graphBar(project, all, focus, state, shown.length), h("div", { class: "graph-frame whole" }, graph.element, graphButtons(graph), panel));
}

function pickInGraph(project, graph, panel, resource) {
  graph.mark(resource ? resource.id : null);
  panel.hidden = !resource;
  if (!resource) return;
  const decision = project.decisions[resource.id];
  fill(
    panel,
    h("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => pickInGraph(project, graph, panel, null) }, "×"),
    h("p", { class: "crumbs" }, h("i", { class: `dot k-${resource.kind}` }), `${kindWord(resource.kind)}${resource.materialized && resource.materialized !== resource.kind ? ` · ${resource.materialized}` : ""}`),
    h("h2", {}, h("a", { href: hrefOf(resource) }, resource.name)),
    summary(resource.description) ? h("p", {}, summary(resource.description)) : null,
    decision && decision.deferred ? h("p", { class: "stand-in" }, "Stood in for by ", h("code", {}, decision.relation)) : null,
    h("p", { class: "about" }, `${around(resource, Infinity, 0, new Set(IN_GRAPH)).size - 1} above, ${around(resource, 0, Infinity, new Set(IN_GRAPH)).size - 1} below`),
    h("p", { class: "acts" }, h("a", { class: "button", href: hrefOf(resource) }, "Open"), h("a", { class: "button quiet", href: `#/graph/${encodeURIComponent(resource.id)}` }, "Focus")),
  );
}

function graphBar(project, all, focus, state, count) {
  const stepper = (label, key) => {
    const text = state[key] === Infinity ? "all" : String(state[key]);
    const change = (by) => () => {
      const now = state[key] === Infinity ? (by > 0 ? Infinity : 8) : state[key] + by;
      state[key] = now > 8 ? Infinity : Math.max(0, now);
      render();
    };
    return h("span", { class: "stepper" }, label, h("button", { type: "button", "aria-label": `fewer steps ${label}`, onclick: change(-1) }, "−"), h("output", {}, text), h("button", { type: "button", "aria-label": `more steps ${label}`, onclick: change(1) }, "+"));
  };
  const toggle = (kind) => {
    const act = () => {
      if (!state.without.delete(kind)) state.without.add(kind);
      render();
    };
    return h("button", { type: "button", class: "chip", "aria-pressed": String(!state.without.has(kind)), onclick: act }, h("i", { class: `dot k-${kind}` }), kindWord(kind, true));
  };
  const present = IN_GRAPH.filter((kind) => all.some((each) => each.kind === kind));
  const around = focus ? [h("a", { class: "chip focus-chip", href: "#/graph", title: "Back to the whole project" }, h("i", { class: `dot k-${focus.kind}` }), focus.name, " ×"), stepper("up", "up"), stepper("down", "down")] : [h("span", { class: "crumbs" }, "Whole project")];
  return h("div", { class: "graph-bar" }, around, h("span", { class: "spring" }), present.length > 1 ? present.map(toggle) : null, h("span", { class: "crumbs" }, `${count.toLocaleString("en")} nodes`));
}

function missingPage(what) {
  return h("article", { class: "page" }, h("header", { class: "title" }, h("h1", {}, "Not in this project")), h("p", { class: "about" }, "There is nothing called ", h("code", {}, what), "."), h("p", {}, h("a", { href: "#/" }, "To the overview")));
}

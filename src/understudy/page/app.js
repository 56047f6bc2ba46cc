// The page as a whole: data, head, tree at the side, and which page the address names.

const SIDES = { folders: "Project", database: "Database" };
const graphState = { up: 2, down: 2, without: new Set(["analysis"]) };
let project = null;

async function document_(name, needed) {
  const inlined = document.getElementById(`data-${name}`);
  if (inlined) return JSON.parse(inlined.textContent);
  if (document.getElementById("data-manifest")) return null; // a page that stands alone asks nobody
  const answer = await fetch(`${name}.json`, { cache: "no-cache" }).catch(() => null);
  if (answer && answer.ok) return answer.json();
  if (!needed) return null;
  throw new Error(`${name}.json cannot be read. Run “understudy docs generate”, then “understudy docs serve”; a page that needs no server comes from “docs generate --static”.`);
}

async function start() {
  theme(remembered("theme") || (isDark() ? "dark" : "light"), false);
  try {
    const [manifest, catalog, deferral] = await Promise.all([document_("manifest", true), document_("catalog", false), document_("deferral", false)]);
    project = buildProject(manifest, catalog, deferral);
  } catch (error) {
    fill(document.getElementById("boot"), error.message);
    return;
  }
  document.title = `${project.name} · documentation`;
  const side = h("nav", { class: "side", id: "side", "aria-label": "Resources" });
  fill(document.getElementById("app"), head(side), h("div", { class: "shell" }, side, h("main", { id: "main", tabindex: -1 })));
  drawSide(side, remembered("side") in SIDES ? remembered("side") : "folders");
  window.addEventListener("hashchange", () => render(true));
  render(true);
}

function head(side) {
  const menu = h("button", { type: "button", class: "tool menu", "aria-label": "Resources", "aria-controls": "side", onclick: () => side.classList.toggle("open") }, icon("menu"));
  const light = h("button", { type: "button", class: "tool light", title: "Light or dark", "aria-label": "Light or dark", onclick: () => theme(isDark() ? "light" : "dark") }, icon("sun"), icon("moon"));
  const open = (resource, column) => go(hrefOf(resource) + (column ? `?column=${encodeURIComponent(column.name)}` : ""));
  return h(
    "header",
    { class: "head" },
    menu,
    h("a", { class: "brand", href: "#/", title: "Overview" }, brand(), h("span", {}, project.name)),
    searchField(project, open),
    h("nav", { class: "links", "aria-label": "Pages" }, h("a", { href: "#/graph", class: "tool wide" }, icon("graph"), h("span", {}, "Graph")), light),
  );
}

/** One who plays the part, and one who stands ready behind. */
function brand() {
  return svg("svg", { class: "brand-mark", viewBox: "0 0 28 20", "aria-hidden": "true" }, svg("circle", { class: "stands-in", cx: 18, cy: 10, r: 7.5 }), svg("circle", { class: "plays", cx: 10, cy: 10, r: 7.5 }));
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function theme(name, keep = true) {
  document.documentElement.dataset.theme = name === "dark" ? "dark" : "light";
  if (keep) remember("theme", name);
}

/** What the browser keeps for the reader; a page from a file may not be allowed to. */
function remembered(name) {
  try {
    return localStorage.getItem(`understudy.${name}`) || "";
  } catch {
    return "";
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`understudy.${name}`, value);
  } catch {
    // then it is forgotten
  }
}

// Which page

function go(href) {
  location.hash = href.replace(/^#/, "");
}

/** The address: `#/model/model.shop.orders?column=id`, `#/graph/model.shop.orders`, and dbt's `#!/model/...`. */
function address() {
  const [path, query] = location.hash.replace(/^#!?\/?/, "").split("?");
  const [kind, ...rest] = path.split("/");
  const text = rest.join("/");
  let id = text;
  try {
    id = decodeURIComponent(text);
  } catch {
    // an id with a percent sign that somebody wrote by hand
  }
  return { kind, id, column: new URLSearchParams(query || "").get("column") };
}

function render(moved = false) {
  const { kind, id, column } = address();
  const main = document.getElementById("main");
  const resource = project.resources.get(id);
  main.classList.toggle("full", kind === "graph");
  const page = !kind || kind === "overview" ? overviewPage(project) : kind === "graph" ? graphPage(project, resource || null, graphState) : resource ? resourcePage(project, resource, column) : missingPage(id || kind);
  fill(main, page);
  document.title = resource ? `${resource.name} · ${project.name}` : `${project.name} · documentation`;
  if (!moved) return;
  main.scrollTop = 0;
  window.scrollTo(0, 0);
  document.getElementById("side").classList.remove("open");
  showInSide(resource);
}

// The tree at the side

function drawSide(side, mode) {
  remember("side", mode);
  const tabs = Object.entries(SIDES).map(([key, label]) => h("button", { type: "button", role: "tab", "aria-selected": String(key === mode), onclick: () => drawSide(side, key) }, label));
  const tree = mode === "folders" ? folderTree() : databaseTree();
  fill(side, h("div", { class: "tabs", role: "tablist" }, tabs), h("div", { class: "tree" }, branches(tree, 0)));
  showInSide(project.resources.get(address().id));
}

function inTree() {
  return [...project.resources.values()].filter((each) => !each.hidden && !["test", "operation", "unit_test"].includes(each.kind));
}

/** Packages with their folders; then sources, exposures, macros and the like under headings of their own. */
function folderTree() {
  const root = { folders: new Map(), leaves: [] };
  const packages = new Set(inTree().map((each) => each.package));
  for (const resource of inTree()) {
    const own = resource.package === project.name ? [] : [resource.package];
    const where = {
      source: () => ["Sources", ...own, resource.node.source_name],
      exposure: () => ["Exposures", ...own],
      macro: () => ["Macros", ...own, ...resource.path.split("/").slice(1, -1)],
    }[resource.kind];
    const path = where ? where() : [...(packages.size > 1 && own.length ? ["Packages", ...own] : []), ...resource.path.split("/").slice(0, -1)];
    place(root, path, resource);
  }
  return root;
}

function databaseTree() {
  const root = { folders: new Map(), leaves: [] };
  for (const resource of inTree()) if (resource.relation.length > 1) place(root, resource.relation.slice(0, -1), resource, resource.relation[resource.relation.length - 1]);
  return root;
}

function place(root, path, resource, label = null) {
  let at = root;
  for (const name of path) {
    if (!at.folders.has(name)) at.folders.set(name, { folders: new Map(), leaves: [] });
    at = at.folders.get(name);
  }
  at.leaves.push({ resource, label: label || (resource.kind === "source" ? resource.key : resource.name) });
}

const LAST = ["Sources", "Exposures", "Macros", "Packages"];

function branches(tree, depth) {
  const rank = ([name]) => (depth ? -1 : LAST.indexOf(name));
  const folders = [...tree.folders].sort((a, b) => rank(a) - rank(b) || compareNames(a[0], b[0]));
  const leaves = [...tree.leaves].sort((a, b) => compareNames(a.label, b.label));
  return [...folders.map(([name, folder]) => branch(name, folder, depth)), ...leaves.map(leaf)];
}

/** A folder; its contents are made when it is opened for the first time. */
function branch(name, folder, depth) {
  const body = h("div", { class: "branch" });
  const size = countLeaves(folder);
  const open = (depth === 0 && !["Macros", "Packages"].includes(name) && size <= 60) || (depth < 3 && size <= 24 && name !== "Macros");
  const element = h("details", {}, h("summary", {}, h("span", {}, name), h("span", { class: "count" }, size)), body);
  element.grow = () => body.childNodes.length || body.append(...branches(folder, depth + 1));
  element.folder = folder;
  element.addEventListener("toggle", () => element.open && element.grow());
  if (open) {
    element.grow();
    element.open = true;
  }
  return element;
}

function countLeaves(folder) {
  return folder.leaves.length + [...folder.folders.values()].reduce((sum, each) => sum + countLeaves(each), 0);
}

function leaf({ resource, label }) {
  return h("a", { class: "leaf", href: hrefOf(resource), "data-id": resource.id, title: resource.name }, h("i", { class: `dot k-${resource.kind}` }), h("span", {}, label));
}

/** Open the folders down to a resource and mark it. */
function showInSide(resource) {
  const side = document.getElementById("side");
  for (const old of side.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
  if (!resource) return;
  let at = [...side.querySelectorAll(".tree > details")];
  for (let element = at.find((each) => holds(each.folder, resource)); element; ) {
    element.grow();
    element.open = true;
    at = [...element.querySelectorAll(":scope > .branch > details")];
    element = at.find((each) => holds(each.folder, resource));
  }
  const link = side.querySelector(`[data-id="${CSS.escape(resource.id)}"]`);
  if (!link) return;
  link.setAttribute("aria-current", "page");
  const [box, frame] = [link.getBoundingClientRect(), side.getBoundingClientRect()];
  if (box.top < frame.top + 60 || box.bottom > frame.bottom - 20) link.scrollIntoView({ block: "center" });
}

function holds(folder, resource) {
  return folder.leaves.some((each) => each.resource === resource) || [...folder.folders.values()].some((each) => holds(each, resource));
}

start();

// The project as the page needs it, from manifest.json and catalog.json: resources with columns, tests and neighbours.

const KINDS = {
  model: ["model", "models"],
  seed: ["seed", "seeds"],
  snapshot: ["snapshot", "snapshots"],
  source: ["source", "sources"],
  exposure: ["exposure", "exposures"],
  function: ["function", "functions"],
  metric: ["metric", "metrics"],
  semantic_model: ["semantic model", "semantic models"],
  saved_query: ["saved query", "saved queries"],
  analysis: ["analysis", "analyses"],
  test: ["test", "tests"],
  unit_test: ["unit test", "unit tests"],
  operation: ["hook", "hooks"],
  macro: ["macro", "macros"],
};
/** What the graph shows; tests and macros are told on the pages of what they belong to. */
const IN_GRAPH = ["source", "seed", "model", "snapshot", "function", "semantic_model", "metric", "saved_query", "exposure", "analysis"];

function buildProject(manifest, catalog, deferral) {
  const head = manifest.metadata || {};
  const project = {
    name: head.project_name || "project",
    head,
    resources: new Map(),
    groups: new Map(Object.values(manifest.groups || {}).map((group) => [group.name, group])),
    overview: overviewText(manifest, head.project_name),
    decisions: (deferral && deferral.invocation_id === head.invocation_id && deferral.decisions) || {},
    errors: (catalog && catalog.errors) || [],
  };
  const tables = { ...((catalog || {}).nodes || {}), ...((catalog || {}).sources || {}) };
  for (const part of ["nodes", "sources", "exposures", "functions", "metrics", "semantic_models", "saved_queries", "unit_tests"]) {
    for (const node of Object.values(manifest[part] || {})) add(project, node, tables[node.unique_id]);
  }
  for (const macro of Object.values(manifest.macros || {})) if (macro.package_name !== "dbt") add(project, macro, null);
  connect(project);
  placeTests(project);
  return project;
}

function overviewText(manifest, name) {
  const docs = manifest.docs || {};
  const ids = [`doc.${name}.__${name}__`, `doc.${name}.__overview__`, ...Object.keys(docs).filter((id) => id.endsWith(".__overview__") && !id.startsWith("doc.dbt."))];
  const found = ids.map((id) => docs[id]).find(Boolean);
  return found ? found.block_contents : "";
}

function add(project, node, table) {
  const config = node.config || {};
  const kind = node.resource_type || node.unique_id.split(".")[0];
  const own = kind === "source" ? `${node.source_name}.${node.name}` : node.name;
  const version = node.version === null || node.version === undefined ? "" : `.v${node.version}`;
  const group = node.group || config.group || null;
  const relation = table ? [table.metadata.database, table.metadata.schema, table.metadata.name] : [node.database, node.schema, node.identifier || node.alias];
  project.resources.set(node.unique_id, {
    id: node.unique_id,
    kind,
    name: kind === "exposure" && node.label ? node.label : own + version,
    key: node.name,
    description: node.description || node.source_description || "",
    tags: [...new Set([...(node.tags || []), ...[].concat(config.tags || [])])],
    package: node.package_name,
    path: node.original_file_path || node.path || "",
    materialized: ["model", "seed", "snapshot"].includes(kind) ? config.materialized || kind : "",
    access: kind === "model" ? config.access || node.access || "" : "",
    group,
    owner: ownerText(node.owner || (group && (project.groups.get(group) || {}).owner) || (node.meta || {}).owner || (config.meta || {}).owner),
    contract: Boolean((config.contract || node.contract || {}).enforced),
    relation: table || (["model", "seed", "snapshot", "source"].includes(kind) && config.materialized !== "ephemeral") ? relation.filter(Boolean) : [],
    built: Boolean(table),
    hidden: node.docs && node.docs.show === false,
    color: (node.docs && node.docs.node_color) || (config.docs && config.docs.node_color) || null,
    columns: columnsOf(node, table),
    table,
    node,
    parents: [],
    children: [],
    macros: [],
    tests: [],
  });
}

function ownerText(owner) {
  if (!owner) return "";
  if (typeof owner === "string") return owner;
  const email = [].concat(owner.email || []).join(", ");
  return owner.name && email ? `${owner.name} <${email}>` : String(owner.name || email || "");
}

/** The columns of the database in its order, with what the project says of them; then those that only the project knows. */
function columnsOf(node, table) {
  const told = new Map(Object.values(node.columns || {}).map((column) => [String(column.name).toLowerCase(), column]));
  const columns = [];
  for (const column of Object.values((table && table.columns) || {}).sort((a, b) => a.index - b.index)) {
    const key = String(column.name).toLowerCase();
    columns.push(columnOf(told.get(key), column));
    told.delete(key);
  }
  for (const column of told.values()) columns.push(columnOf(column, null, Boolean(table)));
  return columns;
}

function columnOf(told, found, missing = false) {
  return {
    name: (found || told).name,
    type: (found && found.type) || (told && told.data_type) || "",
    description: (told && told.description) || (found && found.comment) || "",
    tags: [...new Set([...((told && told.tags) || []), ...[].concat((told && told.config && told.config.tags) || [])])],
    constraints: ((told && told.constraints) || []).map((each) => each.type),
    missing,
    tests: [],
  };
}

/** Neighbours, each once and in a stable order. What the manifest names and does not hold is left out. */
function connect(project) {
  for (const resource of project.resources.values()) {
    const depends = resource.node.depends_on || {};
    for (const id of new Set(depends.nodes || [])) {
      const parent = project.resources.get(id);
      if (!parent || parent === resource) continue;
      resource.parents.push(parent);
      parent.children.push(resource);
    }
    for (const id of new Set(depends.macros || [])) {
      const macro = project.resources.get(id);
      if (!macro || macro === resource) continue;
      resource.macros.push(macro);
      macro.children.push(resource);
    }
  }
  const byName = (a, b) => IN_GRAPH.indexOf(a.kind) - IN_GRAPH.indexOf(b.kind) || compareNames(a.name, b.name);
  for (const resource of project.resources.values()) {
    resource.parents.sort(byName);
    resource.children.sort(byName);
  }
}

const compareNames = new Intl.Collator("en", { numeric: true }).compare;

/** Tests belong to the node that they are attached to, and to its column. */
function placeTests(project) {
  for (const test of project.resources.values()) {
    if (test.kind !== "test" && test.kind !== "unit_test") continue;
    const target = project.resources.get(test.node.attached_node) || testedNode(test);
    const owners = target ? [target] : test.parents;
    for (const owner of owners) {
      const name = test.node.column_name && String(test.node.column_name).replace(/^["`]|["`]$/g, "").toLowerCase();
      const column = name && owner.columns.find((each) => each.name.toLowerCase() === name);
      (column || owner).tests.push(test);
    }
  }
}

function testedNode(test) {
  if (test.kind === "unit_test" || !test.node.test_metadata) return null;
  if (test.parents.length === 1) return test.parents[0];
  const model = String((test.node.test_metadata.kwargs || {}).model || "");
  return test.parents.find((parent) => model.includes(`'${parent.key}'`)) || null;
}

/** What a test says, in a word or two, and the rest of its arguments. */
function testWords(test) {
  const about = test.node.test_metadata;
  if (!about) return { word: test.key, detail: test.kind === "unit_test" ? "unit test" : "" };
  const { model, column_name: _, ...args } = about.kwargs || {};
  const word = about.namespace ? `${about.namespace}.${about.name}` : about.name;
  if (args.values && Array.isArray(args.values)) return { word, detail: args.values.join(", ") };
  if (args.to) return { word, detail: `${String(args.to).replace(/^(ref|source)\((.*)\)$/, "$2").replace(/['"]/g, "").replace(/,\s*/, ".")}.${args.field || ""}` };
  return { word, detail: Object.entries(args).map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ") };
}

/** The part of the graph around a node: so many steps up and down (Infinity: all the way); what is hidden hides what lies behind. */
function around(start, up, down, kinds) {
  const found = new Set([start]);
  for (const [steps, side] of [[up, "parents"], [down, "children"]]) {
    let edge = [start];
    for (let step = 0; step < steps && edge.length; step += 1) {
      const next = [];
      for (const resource of edge) {
        for (const each of resource[side]) {
          if (found.has(each) || each.hidden || !kinds.has(each.kind)) continue;
          found.add(each);
          next.push(each);
        }
      }
      edge = next;
    }
  }
  return found;
}

function hrefOf(resource) {
  return `#/${resource.kind}/${encodeURIComponent(resource.id)}`;
}

function kindWord(kind, many = false) {
  return (KINDS[kind] || [kind, `${kind}s`])[many ? 1 : 0];
}

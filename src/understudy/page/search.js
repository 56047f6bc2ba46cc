// Search as you type, over names, columns, tags, descriptions. All words must be found; names count most.

const MOST_FOUND = 40;

/** An index of the project: texts in lower case, made once. */
function searchIndex(project) {
  return [...project.resources.values()]
    .filter((each) => !each.hidden && each.kind !== "operation" && !(each.kind === "test" && each.node.test_metadata))
    .map((resource) => ({
      resource,
      name: resource.name.toLowerCase(),
      id: `${resource.package} ${resource.path} ${resource.relation.join(".")} ${resource.kind}`.toLowerCase(),
      columns: resource.columns.map((column) => [column.name.toLowerCase(), column]),
      tags: resource.tags.join(" ").toLowerCase(),
      description: `${resource.description} ${resource.columns.map((column) => column.description).join(" ")}`.toLowerCase(),
    }));
}

/** The best matches: [{resource, column, score}]. `tag:x` and `column:x` look in one place only. */
function find(index, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  for (const entry of index) {
    let score = 0;
    let column = null;
    for (const word of words) {
      const [points, which] = matched(entry, word);
      if (!points) {
        score = 0;
        break;
      }
      score += points;
      column ||= which;
    }
    if (score) found.push({ resource: entry.resource, column, score: score + weight(entry.resource) });
  }
  found.sort((a, b) => b.score - a.score || compareNames(a.resource.name, b.resource.name));
  return found.slice(0, MOST_FOUND);
}

function matched(entry, word) {
  const [place, rest] = word.match(/^(tag|column):(.+)$/)?.slice(1) || [null, word];
  if (place === "tag") return [entry.tags.split(" ").includes(rest) ? 60 : 0, null];
  if (place !== "column") {
    if (entry.name === rest) return [200, null];
    if (entry.name.startsWith(rest)) return [120, null];
    if (new RegExp(`(^|[_. ])${escaped(rest)}`).test(entry.name)) return [90, null];
    if (entry.name.includes(rest)) return [70, null];
  }
  let best = [0, null];
  for (const [name, column] of entry.columns) {
    const points = name === rest ? 60 : name.startsWith(rest) ? 45 : name.includes(rest) ? 30 : 0;
    if (points > best[0]) best = [points, column];
  }
  if (best[0] || place === "column") return best;
  if (entry.tags.includes(rest)) return [28, null];
  if (entry.id.includes(rest)) return [18, null];
  return [entry.description.includes(rest) ? 12 : 0, null];
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function weight(resource) {
  return { model: 6, source: 5, seed: 5, snapshot: 5, exposure: 4, macro: 1 }[resource.kind] || 0;
}

/** Text with the words that were looked for marked. */
function marked(text, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => escaped(word.replace(/^(tag|column):/, "")));
  if (!words.length) return [text];
  return text.split(new RegExp(`(${words.join("|")})`, "i")).map((part, i) => (i % 2 ? h("mark", {}, part) : part));
}

/** The field in the head with its list of matches. `/` goes there, arrows choose, Enter opens. */
function searchField(project, open) {
  const index = searchIndex(project);
  const input = h("input", { type: "search", id: "search", placeholder: "Search models, columns, tags …", autocomplete: "off", spellcheck: "false", role: "combobox", "aria-expanded": "false", "aria-controls": "found", "aria-label": "Search" });
  const results = h("ul", { class: "found", id: "found", role: "listbox", hidden: true });
  let matches = [];
  let chosen = 0;

  function update() {
    matches = find(index, input.value);
    chosen = 0;
    const none = input.value.trim() && h("li", { class: "none" }, `Nothing is called “${input.value.trim()}”, and no description says it.`);
    fill(results, matches.length ? matches.map((match, i) => entry(match, i)) : none);
    results.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!results.hidden));
    choose(0);
  }

  function entry({ resource, column }, i) {
    const about = column ? [h("span", { class: "mono" }, marked(column.name, input.value)), column.description && ` · ${summary(column.description)}`] : marked(summary(resource.description) || resource.path, input.value);
    return h(
      "li",
      { role: "option", id: `found-${i}`, onmousemove: () => choose(i), onmousedown: (event) => event.preventDefault(), onclick: () => go(i) },
      h("span", { class: `dot k-${resource.kind}` }),
      h("span", { class: "found-name" }, marked(resource.name, input.value)),
      h("span", { class: "found-kind" }, kindWord(resource.kind)),
      h("span", { class: "found-about" }, about),
    );
  }

  function choose(i) {
    chosen = i;
    [...results.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === i)));
    input.setAttribute("aria-activedescendant", `found-${i}`);
  }

  function go(i) {
    const match = matches[i];
    if (!match) return;
    close();
    input.blur();
    open(match.resource, match.column);
  }

  function close() {
    results.hidden = true;
    input.setAttribute("aria-expanded", "false");
  }

  input.addEventListener("input", update);
  input.addEventListener("focus", () => input.value && update());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && matches.length) {
      choose((chosen + step + matches.length) % matches.length);
      results.children[chosen].scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") go(chosen);
    else if (event.key === "Escape") {
      if (input.value) input.value = "";
      else input.blur();
      update();
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|textarea|select)$/i.test(event.target.tagName);
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!slash && !(event.key === "k" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  return h("div", { class: "search", role: "search" }, icon("search"), input, h("kbd", { "aria-hidden": "true" }, "/"), results);
}

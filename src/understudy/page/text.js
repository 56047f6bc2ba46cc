// Text of the project as elements: Markdown, and code with colours. What is not understood is shown as it stands.

const SAFE_LINK = /^(https?:\/\/|mailto:|#|(?!\/\/)[\w./-]+$)/i;
const BLOCK_START = /^(#{1,6}\s|```|~~~|>|\s*([-*+]|\d+[.)])\s|\s*(\*\s*\*\s*\*|-\s*-\s*-|_\s*_\s*_))/;

/** Markdown as a fragment: headings, paragraphs, lists, quotes, code, tables, rules. */
function markdown(text) {
  const root = document.createDocumentFragment();
  root.append(...blocks(String(text || "").replace(/\r\n?/g, "\n").split("\n")));
  return root;
}

/** The first paragraph of a Markdown text as plain words, for lists. */
function summary(text) {
  const start = String(text || "").trim().split(/\n\s*\n/).find((part) => !/^(#|```|\||>)/.test(part)) || "";
  return start.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}/g, "$1").replace(/\s+/g, " ");
}

function blocks(lines, depth = 0) {
  const out = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    const fence = line.match(/^\s{0,3}(```+|~~~+)\s*([\w-]*)/);
    const heading = line.match(/^(#{1,6})\s+(.*?)\s*#*$/);
    if (!line.trim()) i += 1;
    else if (fence) {
      const end = findFrom(lines, i + 1, (each) => each.trim().startsWith(fence[1]));
      const code = lines.slice(i + 1, end).join("\n");
      out.push(h("pre", {}, h("code", {}, highlight(code, fence[2] || "text"))));
      i = end + 1;
    } else if (heading) {
      out.push(h(`h${Math.min(heading[1].length + 1, 6)}`, {}, inline(heading[2])));
      i += 1;
    } else if (/^\s{0,3}((\*\s*){3,}|(-\s*){3,}|(_\s*){3,})$/.test(line)) {
      out.push(h("hr"));
      i += 1;
    } else if (line.startsWith(">") && depth < 8) {
      const end = findFrom(lines, i, (each) => !each.startsWith(">"));
      out.push(h("blockquote", {}, blocks(lines.slice(i, end).map((each) => each.replace(/^>\s?/, "")), depth + 1)));
      i = end;
    } else if (isTable(lines, i)) {
      const end = findFrom(lines, i, (each) => !each.includes("|"));
      out.push(table(lines.slice(i, end)));
      i = end;
    } else if (/^\s*([-*+]|\d+[.)])\s/.test(line) && depth < 8) {
      const end = findFrom(lines, i + 1, (each, at) => !listGoesOn(lines, at));
      out.push(list(lines.slice(i, end), depth));
      i = end;
    } else {
      const end = findFrom(lines, i + 1, (each, at) => !each.trim() || BLOCK_START.test(each) || isTable(lines, at));
      out.push(h("p", {}, inline(lines.slice(i, end).join("\n"))));
      i = end;
    }
  }
  return out;
}

function findFrom(lines, start, test) {
  for (let i = start; i < lines.length; i += 1) if (test(lines[i], i)) return i;
  return lines.length;
}

function isTable(lines, i) {
  return lines[i].includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[i + 1] || "") && lines[i + 1].includes("-");
}

function listGoesOn(lines, i) {
  const line = lines[i];
  if (/^\s*([-*+]|\d+[.)])\s/.test(line) || /^\s+\S/.test(line)) return true;
  if (!line.trim()) return i + 1 < lines.length && (/^\s+\S/.test(lines[i + 1]) || /^([-*+]|\d+[.)])\s/.test(lines[i + 1]));
  return !BLOCK_START.test(line) && Boolean((lines[i - 1] || "").trim());
}

function list(lines, depth) {
  const first = lines[0].match(/^(\s*)([-*+]|\d+[.)])\s+/);
  const items = [];
  for (const line of lines) {
    const found = line.match(/^(\s*)([-*+]|\d+[.)])\s+(.*)$/);
    if (found && found[1].length <= first[1].length) items.push([found[3]]);
    else items[items.length - 1].push(line.slice(Math.min(first[0].length, line.length - line.trimStart().length)));
  }
  const tag = /\d/.test(first[2]) ? "ol" : "ul";
  return h(tag, {}, items.map((item) => h("li", {}, item.length === 1 ? inline(item[0]) : unwrapped(blocks(item, depth + 1)))));
}

/** A list's item needs no paragraph of its own around its first line. */
function unwrapped(elements) {
  const [first, ...rest] = elements;
  return first && first.tagName === "P" ? [...first.childNodes, ...rest] : elements;
}

function table(lines) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
  const side = cells(lines[1]).map((cell) => (/^:-+:$/.test(cell) ? "middle" : /-:$/.test(cell) ? "right" : null));
  const row = (line, tag) => h("tr", {}, cells(line).map((cell, i) => h(tag, { class: side[i] }, inline(cell))));
  const body = lines.slice(2).filter((line) => line.trim()).map((line) => row(line, "td"));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, row(lines[0], "th")), h("tbody", {}, body)));
}

const INLINE = new RegExp(
  [
    "\\\\(?<escaped>[\\\\`*_{}\\[\\]()#+.!|~<>-])",
    "(?<ticks>`+)(?<code>.+?)\\k<ticks>(?!`)",
    "(?<image>!?)\\[(?<label>(?:[^\\[\\]]|\\[[^\\]]*\\])*)\\]\\(\\s*<?(?<target>[^\\s()<>]*(?:\\([^\\s()]*\\)[^\\s()<>]*)*)>?(?:\\s+[\"'][^\"']*[\"'])?\\s*\\)",
    "(?<url>https?:\\/\\/[^\\s<>\"')\\]]*[^\\s<>\"')\\].,;:!?])",
    "\\*\\*(?<bold>\\S(?:.*?\\S)?)\\*\\*",
    "(?<![\\w])__(?<bold2>\\S(?:.*?\\S)?)__(?!\\w)",
    "\\*(?<italic>[^\\s*](?:[^*]*[^\\s*])?)\\*",
    "(?<![\\w])_(?<italic2>[^\\s_](?:[^_]*[^\\s_])?)_(?!\\w)",
    "~~(?<struck>.+?)~~",
    "(?<hard> {2,}\\n)",
  ].join("|"),
  "s",
);

function inline(text, depth = 0) {
  const out = [];
  let rest = text;
  while (rest) {
    const found = depth < 6 ? rest.match(INLINE) : null;
    if (!found) break;
    if (found.index) out.push(rest.slice(0, found.index));
    out.push(inlineElement(found, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) out.push(rest);
  return out;
}

function inlineElement(found, depth) {
  const g = found.groups;
  if (g.escaped) return g.escaped;
  if (g.code) return h("code", {}, g.code.trim() || g.code);
  if (g.url) return link(g.url, [g.url]);
  if (g.bold || g.bold2) return h("strong", {}, inline(g.bold || g.bold2, depth + 1));
  if (g.italic || g.italic2) return h("em", {}, inline(g.italic || g.italic2, depth + 1));
  if (g.struck) return h("s", {}, inline(g.struck, depth + 1));
  if (g.hard) return h("br");
  if (g.image && !/^[a-z]+:|^\/\//i.test(g.target)) return h("img", { src: g.target, alt: g.label, loading: "lazy" });
  return link(g.target, g.label ? inline(g.label, depth + 1) : [g.target], found[0]);
}

/** A link where it leads to a place that is safe to go to; else its text as it was written. */
function link(target, children, written = target) {
  const ours = target.replace(/^#!\//, "#/");
  if (!SAFE_LINK.test(ours)) return written;
  const away = /^https?:/i.test(ours);
  return h("a", { href: ours, rel: away ? "noopener noreferrer" : null, target: away ? "_blank" : null }, children);
}

const SQL_WORDS =
  "all alter and any array as asc between by case cast check column create cross current cube date default delete desc describe distinct drop else end escape except exists explain extract false fetch filter first following for foreign from full function grant group grouping having if ilike in index inner insert interval into intersect is join key lateral left like limit materialized merge natural not null nulls offset on or order outer over partition pivot preceding primary qualify range recursive references replace right rollup row rows schema select set similar some table tablesample temporary then time timestamp to true truncate unbounded union unique unnest unpivot update using values view when where window with within";
const PYTHON_WORDS =
  "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield";
const LANGUAGES = {
  sql: {
    words: new Set(SQL_WORDS.split(" ")),
    fold: true,
    token: /(?<comment>--[^\n]*|\/\*[\s\S]*?\*\/|\{#[\s\S]*?#\})|(?<jinja>\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\})|(?<string>'(?:[^']|'')*')|(?<name>"(?:[^"]|"")*"|`[^`]*`)|(?<number>\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b)|(?<word>[A-Za-z_]\w*)/g,
  },
  python: {
    words: new Set(PYTHON_WORDS.split(" ")),
    fold: false,
    token: /(?<comment>#[^\n]*)|(?<string>"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<number>\b\d[\d_]*(?:\.\d+)?\b)|(?<word>[A-Za-z_]\w*)/g,
  },
};

/** Code as spans. `linked` may make an element of a Jinja expression (a ref that leads to its model). */
function highlight(code, language = "sql", linked = null) {
  const rules = LANGUAGES[language];
  const out = document.createDocumentFragment();
  if (!rules || code.length > 400000) {
    out.append(code);
    return out;
  }
  let last = 0;
  for (const found of code.matchAll(rules.token)) {
    const kind = tokenKind(found, code, rules);
    if (kind === null) continue;
    if (found.index > last) out.append(code.slice(last, found.index));
    const content = kind === "jinja" && linked ? linked(found[0]) : [found[0]];
    out.append(h("span", { class: `t-${kind}` }, content));
    last = found.index + found[0].length;
  }
  out.append(code.slice(last));
  return out;
}

function tokenKind(found, code, rules) {
  const { word, ...others } = found.groups;
  if (word === undefined) return Object.keys(others).find((name) => others[name] !== undefined);
  if (rules.words.has(rules.fold ? word.toLowerCase() : word)) return "word";
  return code[found.index + word.length] === "(" ? "call" : null;
}

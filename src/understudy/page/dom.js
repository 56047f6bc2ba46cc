// Elements are made of tags, attributes and text. There is no innerHTML anywhere: text of the project stays text.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("a", {href, class, onclick}, "text", child, [children], null)`. */
function h(tag, attributes, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
function svg(tag, attributes, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** Our icons: strokes on a grid of 16. */
const ICONS = {
  search: "M7 12.5a5.5 5.5 0 1 1 0-11 5.5 5.5 0 0 1 0 11ZM11 11l3.5 3.5",
  graph: "M2 3.5h3.5v3H2zM10.5 2H14v3h-3.5zM10.5 10.5H14v3h-3.5zM5.5 5h2.2v7h2.8M7.7 5V3.5h2.8",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  done: "M3 8.5l3.5 3.5L13 4.5",
  menu: "M2 4h12M2 8h12M2 12h12",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  link: "M6.5 3H3v10h10V9.5M9 2.5h4.5V7M13 3L7.5 8.5",
  home: "M2.5 7.5L8 2.5l5.5 5M4 7v6.5h8V7",
};

function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** A button that copies text and says so. */
function copyButton(text, label = "Copy") {
  const button = h("button", { class: "copy", type: "button", title: label, "aria-label": label }, icon("copy"));
  button.addEventListener("click", async () => {
    if (!(await copied(text()))) return;
    fill(button, icon("done"));
    setTimeout(() => fill(button, icon("copy")), 1400);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "offstage" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// The graph as SVG: pan, zoom, choose. Near, each node in sight is an element; far off, nodes are a few shapes by kind,
// so that thousands of them move as easily as ten.

const FAR = 0.42;
const MOST_ELEMENTS = 700;
const LABEL = { font: "500 12.5px Inter, ui-sans-serif, system-ui, sans-serif", most: 240, room: 44 };

class Graph {
  /**
   * @param resources what to show; edges are those among them
   * @param options {focus, onpick(resource), onopen(resource), decisions, label}
   */
  constructor(resources, options) {
    this.options = options;
    this.resources = [...resources];
    this.byId = new Map(this.resources.map((resource) => [resource.id, resource]));
    this.plan = layout(this.resources.map((each) => ({ id: each.id, width: labelWidth(each.name) })), this.edgesAmong());
    this.edges = this.plan.edges.map((edge) => ({ ...edge, path: edgePath(edge.points), box: extent(edge.points) }));
    this.view = { x: 0, y: 0, scale: 1 };
    this.hot = null;
    this.parts = {
      edges: svg("path", { class: "edges" }),
      hot: svg("path", { class: "edges hot" }),
      nodes: svg("g", { class: "nodes" }),
    };
    this.stage = svg("g", {}, this.parts.edges, this.parts.hot, this.parts.nodes);
    this.element = svg("svg", { class: "graph", role: "group", "aria-label": options.label || "Lineage", tabindex: 0 }, this.stage);
    this.listen();
  }

  edgesAmong() {
    return this.resources.flatMap((to) => to.parents.filter((from) => this.byId.has(from.id)).map((from) => [from.id, to.id]));
  }

  /** Show everything, or the focus at a size that can be read. Call it once the element is in the page. */
  fit(most = 1.15) {
    const { width, height } = this.size();
    const margin = 28;
    const whole = Math.min((width - 2 * margin) / (this.plan.width || 1), (height - 2 * margin) / (this.plan.height || 1));
    this.view.scale = Math.max(0.02, Math.min(most, whole));
    this.centre(this.plan.width / 2, this.plan.height / 2);
  }

  show(id, scale = Math.max(this.view.scale, 0.9)) {
    const spot = this.plan.nodes.get(id);
    if (!spot) return;
    this.view.scale = scale;
    this.centre(spot.x + spot.width / 2, spot.y);
  }

  centre(x, y) {
    const { width, height } = this.size();
    this.view.x = width / 2 - x * this.view.scale;
    this.view.y = height / 2 - y * this.view.scale;
    this.draw();
  }

  zoom(factor, at = null) {
    const { width, height } = this.size();
    const { x, y } = at || { x: width / 2, y: height / 2 };
    const scale = Math.max(0.02, Math.min(2.5, this.view.scale * factor));
    this.view.x = x - ((x - this.view.x) * scale) / this.view.scale;
    this.view.y = y - ((y - this.view.y) * scale) / this.view.scale;
    this.view.scale = scale;
    this.draw();
  }

  /** Mark a node with all that it is made from and all that is made from it; null: mark nothing. */
  mark(id) {
    const resource = id ? this.byId.get(id) : null;
    this.chosen = resource ? id : null;
    this.hot = resource ? new Set([...around(resource, Infinity, 0, new Set(IN_GRAPH)), ...around(resource, 0, Infinity, new Set(IN_GRAPH))].map((each) => each.id)) : null;
    this.draw();
  }

  size() {
    const box = this.element.getBoundingClientRect();
    return { width: box.width || 800, height: box.height || 400 };
  }

  /** Draw in the next frame, once. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    const { x, y, scale } = this.view;
    this.stage.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    const { width, height } = this.size();
    const sight = [-x / scale - 60, -y / scale - 60, (width - x) / scale + 60, (height - y) / scale + 60];
    const seen = this.resources.filter((resource) => overlaps(boxOf(this.plan.nodes.get(resource.id)), sight));
    const far = scale < FAR || seen.length > MOST_ELEMENTS;
    this.element.classList.toggle("far", far);
    this.element.classList.toggle("marking", Boolean(this.hot));
    const [hot, cold] = [[], []];
    for (const edge of this.edges) {
      if (overlaps(edge.box, sight)) (this.isHot(edge) ? hot : cold).push(edge.path);
    }
    this.parts.edges.setAttribute("d", cold.join(""));
    this.parts.hot.setAttribute("d", hot.join(""));
    const focused = this.element.contains(document.activeElement) && document.activeElement.dataset.id;
    fill(this.parts.nodes, far ? this.shapes(seen) : seen.map((resource) => this.node(resource)));
    if (focused) (this.parts.nodes.querySelector(`[data-id="${CSS.escape(focused)}"]`) || this.element).focus();
  }

  isHot(edge) {
    if (this.hovered && (edge.from === this.hovered || edge.to === this.hovered)) return true;
    return this.hot && this.hot.has(edge.from) && this.hot.has(edge.to);
  }

  node(resource) {
    const spot = this.plan.nodes.get(resource.id);
    const decision = (this.options.decisions || {})[resource.id];
    const classes = ["node", `k-${resource.kind}`];
    if (resource.id === this.options.focus) classes.push("focus");
    if (resource.id === this.chosen) classes.push("chosen");
    if (decision && decision.deferred) classes.push("deferred");
    if (this.hot && !this.hot.has(resource.id)) classes.push("dim");
    const label = shortened(resource.name, spot.width);
    const element = svg(
      "g",
      { class: classes.join(" "), transform: `translate(${spot.x} ${spot.y - spot.height / 2})`, tabindex: 0, role: "link", "data-id": resource.id, "aria-label": `${kindWord(resource.kind)} ${resource.name}` },
      svg("title", {}, `${resource.name} (${resource.materialized || kindWord(resource.kind)})${decision && decision.deferred ? `\nstands in: ${decision.relation}` : ""}`),
      svg("rect", { class: "box", width: spot.width, height: spot.height, rx: 7 }),
      svg("rect", { class: "bar", x: 9, y: 11, width: 10, height: 10, rx: resource.materialized === "view" || resource.kind === "exposure" ? 5 : 2.5 }),
      svg("text", { x: 27, y: 20.5 }, label),
    );
    if (resource.color && CSS.supports("color", resource.color)) element.querySelector(".bar").style.fill = resource.color;
    return element;
  }

  shapes(seen) {
    const paths = new Map();
    for (const resource of seen) {
      const { x, y, width, height } = this.plan.nodes.get(resource.id);
      const dim = this.hot && !this.hot.has(resource.id);
      const key = `shape k-${resource.kind}${dim ? " dim" : ""}${resource.id === this.chosen || resource.id === this.options.focus ? " chosen" : ""}`;
      paths.set(key, (paths.get(key) || "") + `M${x} ${y - height / 2}h${width}v${height}h${-width}Z`);
    }
    return [...paths].map(([key, d]) => svg("path", { class: key, d }));
  }

  /** The resource under a point of the window, near or far. */
  at(event) {
    const target = event.target.closest && event.target.closest("[data-id]");
    if (target) return this.byId.get(target.dataset.id);
    const box = this.element.getBoundingClientRect();
    const x = (event.clientX - box.left - this.view.x) / this.view.scale;
    const y = (event.clientY - box.top - this.view.y) / this.view.scale;
    return this.resources.find((resource) => overlaps(boxOf(this.plan.nodes.get(resource.id)), [x, y, x, y]));
  }

  listen() {
    const pointers = new Map();
    let moved = 0;
    let pressed = null;
    const on = (name, act, options) => this.element.addEventListener(name, act, options);
    on("pointerdown", (event) => {
      if (event.button) return;
      pressed = this.at(event);
      moved = 0;
      pointers.set(event.pointerId, event);
    });
    on("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return this.hover(event);
      const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
      moved += Math.abs(dx) + Math.abs(dy);
      if (moved > 4 && !this.element.hasPointerCapture(event.pointerId)) this.element.setPointerCapture(event.pointerId);
      const other = [...pointers].find(([id]) => id !== event.pointerId);
      pointers.set(event.pointerId, event);
      if (other) return this.pinch(before, event, other[1]);
      if (moved <= 4) return undefined;
      this.view.x += dx;
      this.view.y += dy;
      this.element.classList.add("dragging");
      return this.draw();
    });
    const end = (event) => {
      const was = pointers.delete(event.pointerId);
      this.element.classList.remove("dragging");
      if (!was || event.type !== "pointerup" || moved > 4) return;
      this.pick(pressed);
    };
    on("pointerup", end);
    on("pointercancel", end);
    on("pointerleave", () => this.hover(null));
    on("dblclick", (event) => this.open(this.at(event)));
    on("keydown", (event) => this.key(event));
    on("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  wheel(event) {
    if (this.options.still && !event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const box = this.element.getBoundingClientRect();
    const delta = event.deltaMode ? event.deltaY * 30 : event.deltaY;
    this.zoom(Math.exp(-Math.max(-240, Math.min(240, delta)) / 320), { x: event.clientX - box.left, y: event.clientY - box.top });
  }

  pinch(before, now, other) {
    const length = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1;
    const box = this.element.getBoundingClientRect();
    const at = { x: (now.clientX + other.clientX) / 2 - box.left, y: (now.clientY + other.clientY) / 2 - box.top };
    this.zoom(length(now, other) / length(before, other), at);
  }

  hover(event) {
    const found = event ? this.at(event) : null;
    const id = found ? found.id : null;
    this.element.classList.toggle("over", Boolean(found));
    if (id === this.hovered) return;
    this.hovered = id;
    const touching = this.edges.filter((edge) => this.isHot(edge)).map((edge) => edge.path);
    this.parts.hot.setAttribute("d", touching.join(""));
  }

  pick(resource) {
    if (this.options.onpick) this.options.onpick(resource || null);
  }

  open(resource) {
    if (resource && this.options.onopen) this.options.onopen(resource);
  }

  key(event) {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) [this.view.x, this.view.y] = [this.view.x + step[0], this.view.y + step[1]];
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else if (event.key === "Enter") this.pick(this.at(event));
    else return;
    event.preventDefault();
    this.draw();
  }
}

/** Buttons to zoom and to see everything. */
function graphButtons(graph) {
  const button = (name, label, act) => h("button", { type: "button", class: "tool", title: label, "aria-label": label, onclick: act }, icon(name));
  return h(
    "div",
    { class: "graph-tools" },
    button("plus", "Zoom in (+)", () => graph.zoom(1.3)),
    button("minus", "Zoom out (-)", () => graph.zoom(1 / 1.3)),
    button("fit", "Show everything (0)", () => graph.fit()),
  );
}

let ruler = null;

function textWidth(text) {
  if (!ruler) {
    ruler = document.createElement("canvas").getContext("2d");
    ruler.font = LABEL.font;
  }
  return ruler.measureText(text).width;
}

function labelWidth(text) {
  return Math.min(LABEL.most, Math.ceil(textWidth(text)) + LABEL.room);
}

function shortened(text, width) {
  const room = width - LABEL.room + 4;
  if (textWidth(text) <= room) return text;
  let keep = text.length;
  while (keep > 4 && textWidth(cut(text, keep)) > room) keep -= 1;
  return cut(text, keep);
}

function cut(text, keep) {
  const tail = Math.floor((keep - 1) / 3);
  return `${text.slice(0, keep - 1 - tail)}…${text.slice(text.length - tail)}`;
}

function boxOf(spot) {
  return [spot.x, spot.y - spot.height / 2, spot.x + spot.width, spot.y + spot.height / 2];
}

function extent(points) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

function overlaps(a, b) {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

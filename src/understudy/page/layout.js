// Where nodes stand: in layers from left to right, few crossings, edges that run straight where they can.
// No elements in here: names, widths and edges in, coordinates out.

const GAP_X = 46;
const GAP_Y = 14;
const NODE_HEIGHT = 32;
const BEND_HEIGHT = 6;
const MANY_NODES = 1500;

/**
 * @param nodes [{id, width}] in a stable order
 * @param edges [[from, to]] ids; each node is known; no cycles (an edge of a cycle is drawn, and orders nothing)
 * @returns {nodes: Map(id -> {x, y, width, height}), edges: [{from, to, points}], width, height}; y is a node's middle
 */
function layout(nodes, edges) {
  const connected = new Set(edges.flat());
  const plan = layered(nodes.filter((node) => connected.has(node.id)), edges);
  return withLoners(plan, nodes.filter((node) => !connected.has(node.id)));
}

/** What has no edges stands in rows below. */
function withLoners(plan, loners) {
  const wide = Math.max(plan.width, 160 * Math.ceil(Math.sqrt(loners.length)));
  let x = 0;
  let y = plan.nodes.size ? plan.height + 2.5 * NODE_HEIGHT : NODE_HEIGHT / 2;
  for (const { id, width } of loners) {
    if (x && x + width > wide) [x, y] = [0, y + NODE_HEIGHT + GAP_Y];
    plan.nodes.set(id, { x, y, width, height: NODE_HEIGHT });
    x += width + 2 * GAP_Y;
    plan.width = Math.max(plan.width, x - 2 * GAP_Y);
    plan.height = y + NODE_HEIGHT / 2;
  }
  return plan;
}

function layered(nodes, edges) {
  const boxes = nodes.map((node) => ({ ...node, height: NODE_HEIGHT, up: [], down: [], bend: false, y: 0 }));
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const pairs = edges.map(([from, to]) => [byId.get(from), byId.get(to)]);
  rank(boxes, pairs);
  const routes = chains(boxes, pairs);
  const layers = [];
  for (const box of boxes) (layers[box.rank] ||= []).push(box);
  for (let i = 0; i < layers.length; i += 1) layers[i] ||= [];
  order(layers, boxes.length);
  stack(layers);
  return placed(layers, nodes, byId, routes);
}

/** A layer for each node: after all of its parents; what has no parents stands next to its first child. */
function rank(boxes, pairs) {
  const waiting = new Map(boxes.map((box) => [box, 0]));
  const next = new Map(boxes.map((box) => [box, []]));
  for (const [from, to] of pairs) {
    waiting.set(to, waiting.get(to) + 1);
    next.get(from).push(to);
  }
  const roots = boxes.filter((box) => !waiting.get(box));
  for (const box of boxes) box.rank = 0;
  const queue = [...roots];
  for (let i = 0; i < queue.length; i += 1) {
    for (const to of next.get(queue[i])) {
      to.rank = Math.max(to.rank, queue[i].rank + 1);
      waiting.set(to, waiting.get(to) - 1);
      if (!waiting.get(to)) queue.push(to);
    }
  }
  for (const box of roots) {
    const children = next.get(box);
    if (children.length) box.rank = Math.max(0, children.reduce((least, to) => Math.min(least, to.rank), Infinity) - 1);
  }
}

/** Long edges get a bend in each layer that they cross, so that they keep clear of nodes; in huge graphs they fly. */
function chains(boxes, pairs) {
  const bends = pairs.reduce((sum, [from, to]) => sum + Math.max(0, to.rank - from.rank - 1), 0);
  const bending = boxes.length <= MANY_NODES && bends <= 6 * MANY_NODES;
  return pairs.map(([from, to]) => {
    const chain = [from];
    for (let at = from.rank + 1; bending && at < to.rank; at += 1) {
      const bend = { id: null, bend: true, width: 0, height: BEND_HEIGHT, rank: at, up: [], down: [], y: 0 };
      boxes.push(bend);
      chain.push(bend);
    }
    chain.push(to);
    for (let i = 1; i < chain.length; i += 1) {
      chain[i - 1].down.push(chain[i]);
      chain[i].up.push(chain[i - 1]);
    }
    return chain;
  });
}

/** Sort each layer by where its neighbours stand, back and forth, and keep the order with the fewest crossings. */
function order(layers, count) {
  number(layers);
  let best = null;
  let least = Infinity;
  const rounds = count > 4000 ? 6 : count > 800 ? 12 : 24;
  for (let round = 0; round < rounds; round += 1) {
    const forth = round % 2 === 0;
    for (const layer of forth ? layers : [...layers].reverse()) {
      for (const box of layer) box.pull = middle(forth ? box.up : box.down, box.place);
      layer.sort((a, b) => a.pull - b.pull || a.place - b.place);
      layer.forEach((box, place) => (box.place = place));
    }
    const crossed = count > 3000 ? -round : crossings(layers);
    if (crossed < least) [least, best] = [crossed, layers.map((layer) => [...layer])];
  }
  if (best) best.forEach((layer, i) => (layers[i] = layer));
  number(layers);
}

function number(layers) {
  for (const layer of layers) layer.forEach((box, place) => (box.place = place));
}

function middle(neighbours, otherwise) {
  if (!neighbours.length) return otherwise;
  return neighbours.reduce((sum, box) => sum + box.place, 0) / neighbours.length;
}

/** How many pairs of edges cross: inversions, counted with a tree of sums. */
function crossings(layers) {
  let total = 0;
  for (let i = 1; i < layers.length; i += 1) {
    const size = layers[i].length;
    const tree = new Array(size + 1).fill(0);
    let seen = 0;
    for (const box of layers[i - 1]) {
      const ends = box.down.filter((each) => each.rank === i).map((each) => each.place).sort((a, b) => a - b);
      for (const end of ends) {
        let before = 0;
        for (let at = end + 1; at > 0; at -= at & -at) before += tree[at];
        total += seen - before;
      }
      for (const end of ends) {
        seen += 1;
        for (let at = end + 1; at <= size; at += at & -at) tree[at] += 1;
      }
    }
  }
  return total;
}

/** Heights: each node wants to stand level with its neighbours; the nearest to that without overlaps. */
function stack(layers) {
  for (const layer of layers) settle(layer, layer.map((box) => box.place * (NODE_HEIGHT + GAP_Y)));
  for (let round = 0; round < 12; round += 1) {
    const forth = round % 2 === 1;
    for (const layer of forth ? layers : [...layers].reverse()) {
      settle(layer, layer.map((box) => level(box, round < 8 ? (forth ? box.up : box.down) : [...box.up, ...box.down])));
    }
  }
}

function level(box, neighbours) {
  if (!neighbours.length) return box.y;
  let sum = 0;
  let weights = 0;
  for (const each of neighbours) {
    const weight = box.bend && each.bend ? 8 : box.bend || each.bend ? 2 : 1; // long edges are to be straight in their middle
    sum += weight * each.y;
    weights += weight;
  }
  return sum / weights;
}

/** The heights nearest to those wanted, in order and apart: pools of boxes that touch move as one. */
function settle(layer, wanted) {
  const pools = [];
  let offset = 0;
  layer.forEach((box, i) => {
    if (i) offset += (layer[i - 1].height + box.height) / 2 + GAP_Y;
    box.offset = offset;
    let pool = { sum: wanted[i] - offset, count: 1, boxes: [box] };
    while (pools.length && pools[pools.length - 1].sum / pools[pools.length - 1].count > pool.sum / pool.count) {
      const last = pools.pop();
      for (const each of pool.boxes) last.boxes.push(each);
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count, boxes: last.boxes };
    }
    pools.push(pool);
  });
  for (const pool of pools) for (const box of pool.boxes) box.y = pool.sum / pool.count + box.offset;
}

function placed(layers, nodes, byId, routes) {
  let x = 0;
  let top = Infinity;
  let bottom = -Infinity;
  for (const box of layers.flat()) {
    top = Math.min(top, box.y - box.height / 2);
    bottom = Math.max(bottom, box.y + box.height / 2);
  }
  const spread = Math.max(0, Math.min(500, (bottom - top) / (2 * layers.length) - 150)); // a tall graph gets wider, too
  const columns = layers.map((layer) => {
    const column = { x, width: layer.reduce((most, box) => Math.max(most, box.width), 0) };
    const busy = layer.reduce((sum, box) => sum + box.down.length, 0);
    x += column.width + GAP_X + Math.min(70, 1.5 * busy) + spread;
    return column;
  });
  const at = (box) => columns[box.rank].x;
  const spots = new Map(nodes.map(({ id }) => {
    const box = byId.get(id);
    return [id, { x: at(box), y: box.y - top, width: box.width, height: box.height }];
  }));
  const edges = routes.map((chain) => ({
    from: chain[0].id,
    to: chain[chain.length - 1].id,
    points: chain.flatMap((box, i) => {
      const y = box.y - top;
      if (!i) return [[at(box) + box.width, y]];
      if (i === chain.length - 1) return [[at(box), y]];
      return [[at(box), y], [at(box) + columns[box.rank].width, y]];
    }),
  }));
  const last = columns[columns.length - 1];
  return { nodes: spots, edges, width: last ? last.x + last.width : 0, height: last ? bottom - top : 0 };
}

/** An edge as a path: curves between layers, straight within one. */
function edgePath(points) {
  let path = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i < points.length; i += 1) {
    const [x0, y0] = points[i - 1];
    const [x1, y1] = points[i];
    const bend = (x1 - x0) / 2;
    path += i % 2 === 0 || Math.abs(y0 - y1) < 0.5 ? `L${x1} ${y1}` : `C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
  }
  return path;
}

// Where the steps of a graph stand: in layers from left to right, so that few lines cross.

export const NODE = { width: 176, height: 44 };
const GAP = { x: 56, y: 16 };
const SWEEPS = 8;

/**
 * @param {string[]} ids the steps, in the order of their file
 * @param {[string, string][]} edges from a step to one that depends on it; what names no step is left out
 * @returns {{width: number, height: number, nodes: Map<string, {x: number, y: number}>, lines: Map<string, {x: number, y: number}[]>}}
 * the upper left corner of each step, and the points that each line goes through, by `from\nto`
 */
export function layout(ids, edges) {
  const known = edges.filter(([from, to]) => ids.includes(from) && ids.includes(to) && from !== to);
  const rank = ranksOf(ids, known);
  const layers = [];
  const put = (id, at) => (layers[at] ??= []).push(id);
  for (const id of ids) put(id, rank.get(id));
  // A line over several layers gets a place in each, so that it goes between the steps, not through them.
  const chains = known.map(([from, to]) => {
    const chain = [from];
    for (let at = rank.get(from) + 1; at < rank.get(to); at += 1) {
      const bend = `${from}\n${to}\n${at}`;
      put(bend, at);
      chain.push(bend);
    }
    return [...chain, to];
  });
  const links = chains.flatMap((chain) => chain.slice(1).map((to, index) => [chain[index], to]));
  const [above, below] = [neighboursOf(links, 1, 0), neighboursOf(links, 0, 1)];
  order(layers, above, below);
  const y = heights(layers, above, below, (id) => (rank.has(id) ? NODE.height : 4));
  return placed(layers, y, chains, rank);
}

/** The length of the longest way to each step. */
function ranksOf(ids, edges) {
  const before = neighboursOf(edges, 1, 0);
  const rank = new Map();
  const visit = (id, way) => {
    if (rank.has(id)) return rank.get(id);
    if (way.has(id)) return 0; // a circle: no task that was loaded has one
    const deeper = new Set(way).add(id);
    const value = Math.max(-1, ...(before.get(id) ?? []).map((each) => visit(each, deeper))) + 1;
    rank.set(id, value);
    return value;
  };
  for (const id of ids) visit(id, new Set());
  return rank;
}

function neighboursOf(links, of, other) {
  const found = new Map();
  for (const link of links) {
    if (!found.has(link[of])) found.set(link[of], []);
    found.get(link[of]).push(link[other]);
  }
  return found;
}

/** Sorts each layer by the middle of its neighbours in the layer before, then in the one behind, several times. */
function order(layers, above, below) {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    const neighbours = down ? above : below;
    const through = down ? layers : [...layers].reverse();
    const at = new Map(layers.flatMap((layer) => layer.map((id, index) => [id, (index + 0.5) / layer.length])));
    for (const layer of through) {
      const middle = new Map(layer.map((id) => [id, mean((neighbours.get(id) ?? [id]).map((each) => at.get(each)))]));
      layer.sort((one, other) => middle.get(one) - middle.get(other));
      layer.forEach((id, index) => at.set(id, (index + 0.5) / layer.length));
    }
  }
}

const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

/** The middle of each place from the top: near its neighbours, in the order of its layer, and apart from the next. */
function heights(layers, above, below, sizeOf) {
  const y = new Map();
  for (const layer of layers) spread(layer, y, layer.map(() => 0), sizeOf);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const neighbours = sweep % 2 === 0 ? above : below;
    for (const layer of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      const wanted = layer.map((id) => mean((neighbours.get(id) ?? [id]).map((each) => y.get(each))));
      spread(layer, y, wanted, sizeOf);
    }
  }
  return y;
}

/**
 * Puts a layer as near to where it wants to be as its order and the gaps allow: those that want the
 * same place stand around the middle of what they want (isotonic regression).
 */
function spread(layer, y, wanted, sizeOf) {
  const offsets = []; // of each from the first, when all stand as close as they may
  layer.forEach((id, index) => offsets.push(index ? offsets[index - 1] + (sizeOf(layer[index - 1]) + sizeOf(id)) / 2 + GAP.y : 0));
  const blocks = [];
  wanted.forEach((want, index) => {
    let block = { sum: want - offsets[index], count: 1 };
    while (blocks.length && blocks.at(-1).sum / blocks.at(-1).count >= block.sum / block.count) {
      const before = blocks.pop();
      block = { sum: before.sum + block.sum, count: before.count + block.count };
    }
    blocks.push(block);
  });
  const places = blocks.flatMap(({ sum, count }) => Array(count).fill(sum / count));
  layer.forEach((id, index) => y.set(id, places[index] + offsets[index]));
}

function placed(layers, y, chains, rank) {
  const top = Math.min(...[...y].map(([id, at]) => at - (rank.has(id) ? NODE.height / 2 : 0)));
  const bottom = Math.max(...[...y].map(([id, at]) => at + (rank.has(id) ? NODE.height / 2 : 0)));
  const column = new Map(layers.flatMap((layer, index) => layer.map((id) => [id, index * (NODE.width + GAP.x)])));
  const nodes = new Map([...rank.keys()].map((id) => [id, { x: column.get(id), y: y.get(id) - top - NODE.height / 2 }]));
  const lines = new Map(chains.map((chain) => [`${chain[0]}\n${chain.at(-1)}`, chain.flatMap((id, index) => {
    const at = { x: column.get(id), y: y.get(id) - top };
    if (index === 0) return [{ ...at, x: at.x + NODE.width }];
    return index === chain.length - 1 ? [at] : [at, { ...at, x: at.x + NODE.width }];
  })]));
  return { width: layers.length * (NODE.width + GAP.x) - GAP.x, height: bottom - top, nodes, lines };
}

// Pairs drawn over a picture: subject box solid, object box dashed, a line between their centres, a label per verb.

const PAIR_COLOURS = 12;
const RIGHT = new Set(["right", "found"]);
const UNJUDGED = "labelled";
const PEN_SIZE = 100;
const pen = document.createElement("canvas").getContext("2d");
pen.font = `${PEN_SIZE}px system-ui, sans-serif`;

/** Triplets of the same two boxes are one pair with several verbs. */
function pairsOf(triplets) {
  const pairs = new Map();
  for (const triplet of triplets) {
    const key = JSON.stringify([triplet.sub, triplet.obj]);
    if (!pairs.has(key)) pairs.set(key, { sub: triplet.sub, obj: triplet.obj, triplets: [] });
    pairs.get(key).triplets.push(triplet);
  }
  return [...pairs.values()];
}

/** Colour by verdict; labels that are not judged are white, and where there is no verdict at all pairs differ by number. */
function colourOf(triplet, number) {
  if (!triplet.verdict) return `var(--pair-${number % PAIR_COLOURS})`;
  if (triplet.verdict === UNJUDGED) return "var(--unjudged)";
  return RIGHT.has(triplet.verdict) ? "var(--right)" : "var(--wrong)";
}

function signOf(triplet) {
  if (!triplet.verdict || triplet.verdict === UNJUDGED) return "";
  return RIGHT.has(triplet.verdict) ? "✓ " : "✗ ";
}

/** Why a prediction is wrong; of a label that was not found the sign says all. */
function reasonOf(triplet) {
  return triplet.score !== null && signOf(triplet) === "✗ " ? ` · ${triplet.verdict}` : "";
}

function tripletText(triplet) {
  return triplet.object === null ? triplet.verb : `${triplet.verb} ${triplet.object}`;
}

/**
 * Draw triplets into an svg whose viewBox is the image.
 * @param scale image pixels per pixel on the screen, which texts are sized by.
 * @param lit a triplet that alone stands out; null: all do.
 */
function drawPairs(svg, triplets, scale, lit = null) {
  const view = svg.viewBox.baseVal;
  const size = Math.min(12.5, Math.max(9.5, view.width / scale / 22)) * scale; // smaller in small pictures
  const taken = [];
  const pairs = pairsOf(triplets).filter((pair) => [...pair.sub, ...(pair.obj ?? [])].every(Number.isFinite));
  const groups = pairs.map((pair, number) => {
    const best = pair.triplets.find((triplet) => RIGHT.has(triplet.verdict)) ?? pair.triplets[0];
    const style = `--pair: ${colourOf(lit && pair.triplets.includes(lit) ? lit : best, pair.triplets[0].number ?? number)}`;
    const faded = lit && !pair.triplets.includes(lit);
    const boxes = makeSvg("g", { class: faded ? "pair faded" : "pair", style }, boxShapes(pair));
    const tag = faded ? null : makeSvg("g", { class: "pairtag", style }, tagOf(pair, lit, size, view, taken));
    return { boxes, tag, faded };
  });
  const inFront = groups.filter(({ faded }) => !faded).reverse(); // the best on top, labels above all boxes
  svg.append(...groups.filter(({ faded }) => faded).map(({ boxes }) => boxes), ...inFront.map(({ boxes }) => boxes), ...inFront.map(({ tag }) => tag));
}

function boxShapes({ sub, obj }) {
  const shapes = [["rect", rectOf(sub), ""]];
  if (obj) {
    const [[x1, y1], [x2, y2]] = [middle(sub), middle(obj)];
    shapes.push(["rect", rectOf(obj), " object"], ["line", { x1, y1, x2, y2 }, ""]);
  }
  const strokes = ["halo", "edge"];
  return strokes.flatMap((stroke) => shapes.map(([tag, place, kind]) => makeSvg(tag, { ...place, class: stroke + kind })));
}

function rectOf([x1, y1, x2, y2]) {
  return { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) };
}

function middle([x1, y1, x2, y2]) {
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

/** The label of a pair, one line per verb, at a place that no other label takes. */
function tagOf(pair, lit, size, view, taken) {
  const lines = pair.triplets.filter((triplet) => !lit || triplet === lit).map((triplet) => shortened(labelOf(triplet), view.width - size, size));
  const width = Math.max(...lines.map((line) => textWidth(line, size))) + 0.8 * size;
  const height = (1.25 * lines.length + 0.3) * size;
  const [x, y] = placeFor(pair.sub, width, height, view, taken);
  taken.push([x, y, x + width, y + height]);
  const rows = lines.map((line, n) => makeSvg("text", { class: "text", x: x + 0.4 * size, y: y + (1.15 + 1.25 * n) * size, "font-size": size }, line));
  return [makeSvg("rect", { class: "tag", x, y, width, height, rx: 0.2 * size, "vector-effect": "non-scaling-stroke" }), ...rows];
}

function labelOf(triplet) {
  const score = triplet.score === null ? "" : ` ${triplet.score.toFixed(2)}`;
  return signOf(triplet) + tripletText(triplet) + score + reasonOf(triplet);
}

/** Measured at a size that canvases are exact at: where images are tiny, letters are a fraction of their pixels. */
function textWidth(text, size) {
  return (pen.measureText(text).width * size) / PEN_SIZE;
}

/** A text cut to a width. */
function shortened(text, width, size) {
  if (textWidth(text, size) <= width) return text;
  let length = text.length;
  while (length > 1 && textWidth(`${text.slice(0, length)}…`, size) > width) length -= 1;
  return `${text.slice(0, length)}…`;
}

/** Above the box, in it, below it, then further down, where there is room. */
function placeFor([x1, y1, , y2], width, height, view, taken) {
  const inside = (x, y) => [Math.max(0, Math.min(x, view.width - width)), Math.max(0, Math.min(y, view.height - height))];
  const steps = [...Array(12).keys()].flatMap((n) => [y1 + n * height, y1 - (n + 1) * height]);
  const places = [y1 - height, y1, y2 - height, y2, ...steps].map((y) => inside(x1, y));
  const free = ([x, y]) => !taken.some(([a, b, c, d]) => x < c && a < x + width && y < d && b < y + height);
  return places.find(free) ?? places[0];
}

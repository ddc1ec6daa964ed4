// A chart whose lines change while the page is read, drawn as charts.py draws the fixed ones. Both axes run from 0 to 1.

const PLOT = { width: 520, height: 340, left: 52, right: 508, top: 14, bottom: 294 };
const SERIES = 6;

/**
 * @param host element that it is put into.
 * @param xLabel, yLabel texts of the axes.
 * @param empty what the legend says while there is no line.
 * @returns draw(lines): lines are {name, note, x, y, style, remove}: style "s0" to "s5" or "quiet", remove() optional.
 */
function makePlot(host, title, xLabel, yLabel, empty = "") {
  const lines = makeSvg("g");
  const legend = make("p", { class: "legend" });
  const svg = makeSvg("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-label": title }, plotFrame(xLabel, yLabel), lines);
  host.append(make("figure", { class: "chart" }, make("figcaption", {}, title), svg, legend));
  return (shown) => {
    lines.replaceChildren(...shown.flatMap(plotLine));
    legend.replaceChildren(...(shown.length ? shown.map(plotKey) : [empty]));
  };
}

const plotX = (value) => PLOT.left + value * (PLOT.right - PLOT.left);
const plotY = (value) => PLOT.bottom - value * (PLOT.bottom - PLOT.top);

function plotFrame(xLabel, yLabel) {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const text = (value) => String(Math.round(100 * value));
  const { left, right, top, bottom, height } = PLOT;
  const rows = ticks.map((t) => [
    makeSvg("g", { class: "grid" }, makeSvg("line", { x1: left, x2: right, y1: plotY(t), y2: plotY(t) })),
    makeSvg("text", { x: left - 6, y: plotY(t) + 4, "text-anchor": "end" }, text(t)),
    makeSvg("text", { x: plotX(t), y: bottom + 18, "text-anchor": "middle" }, text(t)),
  ]);
  const along = makeSvg("text", { class: "label", x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, xLabel);
  const up = makeSvg("text", { class: "label", transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, yLabel);
  return makeSvg("g", {}, rows.flat(), along, up);
}

function plotLine({ name, x, y, style }) {
  const at = x.map((value, n) => `${plotX(value).toFixed(1)},${plotY(y[n]).toFixed(1)}`);
  const dots = x.map((value, n) => {
    const told = `${name}: ${percent(y[n], 1)} at ${percent(value, 1)}`;
    return makeSvg("circle", { class: `point ${style}`, cx: plotX(value), cy: plotY(y[n]), r: 5 }, makeSvg("title", {}, told));
  });
  return [makeSvg("polyline", { class: `line ${style}`, points: at.join(" ") }), ...dots];
}

function plotKey({ name, note, style, remove }) {
  const button = remove ? make("button", { type: "button", "aria-label": `Remove ${name}`, onclick: remove }, "✕") : null;
  return make("span", { class: `line ${style}` }, note ? `${name} (${note})` : name, button);
}

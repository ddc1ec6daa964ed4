// The report's tables, curves and pictures.

const data = pageData();

/** Rows of a table, switched on and off by a click in it or on a dot; the oldest gives way beyond the most. */
class Choice {
  constructor(host, table, dots, most, changed) {
    this.chosen = [];
    this.most = most;
    this.changed = changed;
    const options = { toggles: true, hint: "Show or hide its precision-recall curve", onOpen: (row) => this.toggle(row) };
    this.table = new DataTable(host, table, options);
    this.dots = [...document.querySelectorAll(`[data-table="${dots}"] .dot`)];
    for (const dot of this.dots) dot.addEventListener("click", () => this.toggle(Number(dot.dataset.row)));
    this.show();
  }

  toggle(row) {
    const kept = this.chosen.filter((choice) => choice.row !== row);
    if (kept.length === this.chosen.length) kept.push({ row, series: this.freeSeries(kept) });
    this.chosen = kept.slice(-this.most);
    this.show();
  }

  /** A class keeps its colour for as long as it is shown. */
  freeSeries(kept) {
    const used = new Set(kept.slice(1 - this.most).map((choice) => choice.series));
    return [...Array(SERIES).keys()].find((series) => !used.has(series));
  }

  show() {
    const colours = new Map(this.chosen.map(({ row, series }) => [row, `var(--s${series})`]));
    this.table.mark(colours);
    for (const dot of this.dots) {
      const colour = colours.get(Number(dot.dataset.row));
      dot.classList.toggle("marked", colour !== undefined);
      dot.style.setProperty("--series", colour ?? ""); // "": that of its set again
    }
    this.changed(this.chosen);
  }
}

function classCurves() {
  const draw = makePlot(document.getElementById("class-plot"), "Precision and recall", "recall, percent", "precision, percent");
  const { columns, rows } = data.classes;
  const ap = columns.findIndex((column) => column.label === "AP");
  const mean = { name: "mean of all classes", note: "", style: "quiet", ...data.curves.mean };
  const choice = new Choice(document.getElementById("class-table"), data.classes, "classes", SERIES, (chosen) => {
    const lines = chosen.map(({ row, series }) => ({
      name: rows[row][0],
      note: `AP ${percent(rows[row][ap], 1)}`,
      style: `s${series}`,
      remove: () => choice.toggle(row),
      ...data.curves.classes[row],
    }));
    draw([mean, ...lines]);
  });
}

function changeCurves() {
  const draw = makePlot(document.getElementById("change-plot"), "Precision and recall of chosen classes in both runs", "recall, percent", "precision, percent", "No class is chosen yet.");
  const { rows } = data.changes;
  const choice = new Choice(document.getElementById("change-table"), data.changes, "changes", 3, (chosen) => {
    const lines = chosen.flatMap(({ row, series }) =>
      data.runs.map((run, n) => ({
        name: `${rows[row][0]}, ${run}`,
        style: n === 0 ? `s${series} dashed` : `s${series}`,
        remove: n === 0 ? null : () => choice.toggle(row),
        ...data.change_curves[row][n],
      })),
    );
    draw(lines);
  });
}

function figuresInto(id, figures) {
  const host = document.getElementById(id);
  if (!host) return;
  if (figures.length) makeFigures(host, figures, data.pictures);
  else host.append(make("p", { class: "note" }, "None."));
}

classCurves();
figuresInto("worst-images", data.figures.worst);
figuresInto("best-images", data.figures.best);
if (data.changes) {
  changeCurves();
  figuresInto("better-images", data.changed.better);
  figuresInto("worse-images", data.changed.worse);
}

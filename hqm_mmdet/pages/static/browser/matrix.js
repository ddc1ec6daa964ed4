// The verb-object matrix: a row per verb, a column per object, the stronger the more HOIs. Empty rows and columns are left out.

const WIDE = 24; // with more columns, squares are small and show no number

class TripletMatrix {
  /**
   * @param host element that it is put into.
   * @param data verbs, objects, splits (names), cells ({verb, object, hois, images: by split, forbidden}).
   * @param onOpen (verb number, object number, split number or null) => called when a square is chosen.
   */
  constructor(host, data, onOpen) {
    this.data = data;
    this.onOpen = onOpen;
    this.split = this.makeSelect("Count in", [["", "all splits"], ...data.splits.map((name, n) => [n, name])], data.splits.length > 1);
    this.order = this.makeSelect("Order", [["count", "most frequent first"], ["name", "by name"], ["file", "as in the data set"]], true);
    this.told = make("p", { class: "told" });
    this.table = make("table", { role: "grid", "aria-label": "HOI entries by verb and object" });
    this.table.addEventListener("click", (event) => this.open(event.target.closest("[data-cell]")));
    this.table.addEventListener("keydown", (event) => this.pressed(event));
    for (const name of ["focusin", "mouseover"]) this.table.addEventListener(name, (event) => this.tell(event.target.closest("[data-cell]")));
    this.box = make("div", { class: "tablebox matrix" }, this.table);
    const selects = [this.split, this.order].filter((select) => !select.hidden).map((select) => make("label", {}, `${select.title} `, select));
    host.append(make("div", { class: "controls" }, selects), this.told, this.box, this.legend());
    this.draw();
  }

  makeSelect(title, options, shown) {
    const select = make("select", { title, hidden: !shown }, options.map(([value, text]) => make("option", { value }, text)));
    select.addEventListener("change", () => this.draw());
    return select;
  }

  legend() {
    const forbidden = this.data.cells.some((cell) => cell.forbidden);
    const note = forbidden ? make("span", { class: "forbidden" }, "annotated, though the data set's verb-object table forbids it") : null;
    return make("p", { class: "legend matrixkey" }, make("span", { class: "scale" }, "few to many HOI entries (logarithmic)"), note);
  }

  number(cell) {
    return this.total(cell.hois);
  }

  /** Of counts by split, what the chosen one has. */
  total(counts) {
    return this.split.value === "" ? counts.reduce((sum, n) => sum + n, 0) : counts[Number(this.split.value)];
  }

  draw() {
    const { verbs, objects } = this.data;
    this.cells = this.data.cells.filter((cell) => this.number(cell) > 0);
    this.rows = this.ordered("verb", verbs);
    this.columns = this.ordered("object", objects);
    const at = new Map(this.cells.map((cell) => [`${cell.verb} ${cell.object}`, cell]));
    const most = Math.max(1, ...this.cells.map((cell) => this.number(cell)));
    const heads = this.columns.map((c) => make("th", { scope: "col" }, make("span", {}, objects[c])));
    const body = this.rows.map((v) => make("tr", {}, make("th", { scope: "row" }, verbs[v]), this.columns.map((c) => this.square(at.get(`${v} ${c}`), most))));
    this.table.className = this.columns.length > WIDE ? "small" : "";
    this.table.replaceChildren(make("thead", {}, make("tr", {}, make("td"), heads)), make("tbody", {}, body));
    this.table.querySelector("[data-cell]")?.setAttribute("tabindex", "0");
    this.told.textContent = this.summary();
  }

  summary() {
    const without = this.cells.filter((cell) => this.isAbsent(cell.object)).length;
    const objects = this.columns.filter((c) => !this.isAbsent(c)).length;
    const rest = without ? `, and ${counted(without, "verb")} without object` : "";
    return `${counted(this.cells.length - without, "combination")} of ${counted(this.rows.length, "verb")} and ${counted(objects, "object")}${rest}.`;
  }

  /** Whether a column stands for HOIs without object: the first one. */
  isAbsent(object) {
    return object === this.data.objects.length - 1;
  }

  /** Rows or columns with an annotation, in the chosen order. */
  ordered(axis, names) {
    const totals = new Map();
    for (const cell of this.cells) totals.set(cell[axis], (totals.get(cell[axis]) ?? 0) + this.number(cell));
    const absent = (number) => axis === "object" && this.isAbsent(number);
    const compare = { count: (a, b) => totals.get(b) - totals.get(a), name: (a, b) => collator.compare(names[a], names[b]), file: () => 0 }[this.order.value];
    return [...totals.keys()].sort((a, b) => absent(b) - absent(a) || compare(a, b) || a - b);
  }

  square(cell, most) {
    if (!cell) return make("td", { role: "gridcell" });
    const number = this.number(cell);
    const strength = 14 + Math.round((86 * Math.log(number)) / Math.log(Math.max(most, 2)));
    const look = `${cell.forbidden ? "forbidden " : ""}${strength > 80 ? "strong" : strength > 60 ? "middle" : ""}`;
    const told = { role: "gridcell", "data-cell": this.cells.indexOf(cell), "aria-label": this.sentence(cell), title: this.sentence(cell) };
    return make("td", { class: look, style: `--strength: ${strength}%`, tabindex: "-1", ...told }, make("span", {}, short(number)));
  }

  sentence(cell) {
    const note = cell.forbidden ? ", forbidden by the verb-object table" : "";
    return `${this.data.verbs[cell.verb]} ${this.data.objects[cell.object]}: ${counted(this.number(cell), "HOI")} in ${counted(this.total(cell.images), "image")}${note}`;
  }

  tell(square) {
    if (square) this.told.textContent = this.sentence(this.cells[square.dataset.cell]);
  }

  open(square) {
    if (!square) return;
    const cell = this.cells[square.dataset.cell];
    this.onOpen(cell.verb, cell.object, this.split.value === "" ? null : Number(this.split.value));
  }

  pressed(event) {
    const square = event.target.closest("[data-cell]");
    if (!square) return;
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (step) this.move(square, step);
    else if (event.key === "Enter" || event.key === " ") this.open(square);
    else return;
    event.preventDefault();
  }

  /** To the next filled square of the row or column. */
  move(square, [down, right]) {
    let [row, column] = [square.parentElement.sectionRowIndex + down, square.cellIndex + right];
    const body = this.table.tBodies[0].rows;
    while (body[row]?.cells[column] && !body[row].cells[column].dataset.cell) [row, column] = [row + down, column + right];
    const next = body[row]?.cells[column];
    if (!next) return;
    square.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}

/** 1,234 as 1.2k, for a small place. */
function short(number) {
  return number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10000 ? 1 : 0)}k`;
}

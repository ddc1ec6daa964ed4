// A table that sorts by its headings and filters by text and by lists of values.
// Rows are put into the page as they are scrolled to, so that thousands of them stay quick.

const CHUNK = 150;
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

class DataTable {
  /**
   * @param host element that it is put into.
   * @param table as tables.py makes it: name, columns, rows, sort, descending.
   * @param options.onOpen (row number) => called when a row is chosen, by pointer or keyboard.
   * @param options.hint what choosing a row does, for its button.
   * @param options.toggles rows are switched on and off (a box shows it) instead of opened.
   */
  constructor(host, table, options = {}) {
    this.table = table;
    this.options = options;
    this.sort = table.sort;
    this.descending = table.descending;
    this.marks = new Map();
    this.texts = table.rows.map((row) => this.textOf(row));
    host.append(this.makeControls(), this.makeBox());
    this.refresh();
  }

  textOf(row) {
    const words = this.table.columns.map((column, c) => (column.kind === "text" && row[c] !== null ? row[c] : ""));
    return words.join(" ").toLowerCase();
  }

  makeControls() {
    const { name, columns } = this.table;
    this.filters = new Filters("Filter by text", `Filter ${name} by text`, () => this.refresh());
    columns.forEach((column, c) => {
      if (column.select) this.filters.addSelect(c, column.select, `Filter by ${column.select}`, this.valuesOf(c));
    });
    this.shown = make("output", { "aria-live": "polite" });
    return make("div", { class: "controls" }, this.filters.search, this.filters.lists, this.filters.clear, this.shown);
  }

  valuesOf(column) {
    const values = new Set(this.table.rows.map((row) => row[column]));
    return [...values].filter((value) => value !== null).sort(collator.compare).map((value) => [value, value]);
  }

  makeBox() {
    const { name, columns } = this.table;
    this.heads = columns.map((column, c) => {
      const button = make("button", { type: "button", title: column.hint || null, onclick: () => this.sortBy(c) }, column.label);
      return make("th", { scope: "col", class: column.kind, hidden: column.hidden }, button);
    });
    this.body = make("tbody");
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.body.addEventListener("keydown", (event) => this.moved(event));
    const chosen = this.options.onOpen ? (this.options.toggles ? "opens" : "opens plain") : "";
    const table = make("table", { class: chosen, "aria-label": name }, make("thead", {}, make("tr", {}, this.heads)), this.body);
    this.box = make("div", { class: "tablebox long", role: "region", tabindex: "0", "aria-label": `Table of ${name}` }, table);
    this.box.addEventListener("scroll", () => this.extend());
    window.addEventListener("beforeprint", () => this.append(Infinity));
    return this.box;
  }

  sortBy(column) {
    const text = this.table.columns[column].kind === "text";
    this.descending = this.sort === column ? !this.descending : !text;
    this.sort = column;
    this.refresh();
  }

  /** Choose a value of a column's list, as a reader would. */
  filter(column, value) {
    this.filters.choose(column, value);
  }

  refresh() {
    this.order = this.sorted(this.matching());
    const { name, rows } = this.table;
    this.shown.textContent = `${grouped.format(this.order.length)} of ${grouped.format(rows.length)} ${name} shown${this.meanShown()}`;
    this.heads.forEach((head, c) => head.setAttribute("aria-sort", c !== this.sort ? "none" : this.descending ? "descending" : "ascending"));
    this.body.replaceChildren();
    this.box.scrollTop = 0;
    this.append(CHUNK);
    if (!this.order.length) this.body.append(make("tr", {}, make("td", { class: "empty", colspan: this.heads.length }, `No ${name} match.`)));
  }

  /** The mean over the rows shown, of the column that the table tells it of; rows without a value do not count. */
  meanShown() {
    const { mean, rows, columns } = this.table;
    const values = this.order.map((n) => rows[n][mean]).filter((value) => typeof value === "number");
    if (!values.length) return "";
    const value = values.reduce((sum, each) => sum + each, 0) / values.length;
    return `, mean ${columns[mean].label} ${FORMATS[columns[mean].kind](value)}`;
  }

  matching() {
    const words = this.filters.text.split(/\s+/).filter(Boolean);
    const chosen = Object.entries(this.filters.chosen).filter(([, value]) => value);
    const fits = (row, n) => words.every((word) => this.texts[n].includes(word)) && chosen.every(([c, value]) => row[c] === value);
    return this.table.rows.flatMap((row, n) => (fits(row, n) ? [n] : []));
  }

  sorted(numbers) {
    if (this.sort === null) return numbers;
    const { rows, columns } = this.table;
    const c = this.sort;
    const sign = this.descending ? -1 : 1;
    const compare = columns[c].kind === "text" ? collator.compare : (a, b) => a - b;
    return numbers.sort((m, n) => {
      const a = rows[m][c];
      const b = rows[n][c];
      if (a === null || b === null) return (a === null) - (b === null) || m - n;
      return sign * compare(a, b) || m - n;
    });
  }

  append(number) {
    const start = this.body.childElementCount;
    if (start >= this.order.length) return;
    this.body.append(...this.order.slice(start, start + number).map((n) => this.makeRow(n)));
    if (start === 0) this.buttons(0)?.setAttribute("tabindex", "0");
  }

  extend() {
    if (this.box.scrollTop + this.box.clientHeight > this.box.scrollHeight - 400) this.append(CHUNK);
  }

  makeRow(n) {
    const cells = this.table.columns.map((column, c) => {
      const text = FORMATS[column.kind](this.table.rows[n][c]);
      const button = c === 0 && this.options.onOpen;
      return make("td", { class: column.kind, hidden: column.hidden }, button ? this.makeButton(n, text) : text);
    });
    const row = make("tr", { "data-row": n }, cells);
    this.paint(row, n);
    return row;
  }

  makeButton(n, text) {
    const pressed = this.options.toggles ? String(this.marks.has(n)) : null;
    return make("button", { type: "button", tabindex: "-1", title: this.options.hint || null, "aria-pressed": pressed }, text);
  }

  buttons(position) {
    return this.body.children[position]?.querySelector("button");
  }

  clicked(event) {
    const row = event.target.closest("tr[data-row]");
    if (row && this.options.onOpen) this.options.onOpen(Number(row.dataset.row));
  }

  /** Arrow keys go from row to row; one row's button at a time is a tab stop. */
  moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("tr[data-row]");
    if (!step || !row) return;
    event.preventDefault();
    const position = [...this.body.children].indexOf(row) + step;
    if (position >= this.body.childElementCount) this.append(CHUNK);
    const button = this.buttons(position);
    if (!button) return;
    row.querySelector("button").setAttribute("tabindex", "-1");
    button.setAttribute("tabindex", "0");
    button.focus();
  }

  /** Show rows as chosen: a map from row number to the colour of its box. */
  mark(marks) {
    this.marks = marks;
    for (const row of this.body.querySelectorAll("tr[data-row]")) this.paint(row, Number(row.dataset.row));
  }

  paint(row, n) {
    if (!this.options.toggles) return;
    row.setAttribute("aria-selected", String(this.marks.has(n)));
    row.style.setProperty("--mark", this.marks.get(n) ?? "transparent");
    row.querySelector("button")?.setAttribute("aria-pressed", String(this.marks.has(n)));
  }
}

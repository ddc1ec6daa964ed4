// A text field, lists of values, and the button that clears them. What they filter is the caller's affair.

class Filters {
  /**
   * @param placeholder of the text field.
   * @param label of the text field, for screen readers.
   * @param onChange called after each change.
   */
  constructor(placeholder, label, onChange) {
    this.onChange = onChange;
    this.search = make("input", { type: "search", placeholder, "aria-label": label, "data-filter": "" });
    this.search.addEventListener("input", () => this.changed());
    this.clear = make("button", { type: "button", hidden: true, onclick: () => this.reset() }, "Clear filters");
    this.selects = {};
  }

  /** A list under a key; options are [value, text]. */
  addSelect(key, name, label, options, hidden = false) {
    const texts = [["", `any ${name}`], ...options].map(([value, text]) => make("option", { value }, text));
    const select = make("select", { "aria-label": label, hidden }, texts);
    select.addEventListener("change", () => this.changed());
    this.selects[key] = select;
  }

  get lists() {
    return Object.values(this.selects).filter((select) => !select.hidden);
  }

  /** Lower-case text of the field. */
  get text() {
    return this.search.value.toLowerCase();
  }

  /** Chosen values by key; "" where any will do. */
  get chosen() {
    return Object.fromEntries(Object.entries(this.selects).map(([key, select]) => [key, select.value]));
  }

  /** Empty the field and set all lists, those not named to "any". */
  show(values) {
    for (const [key, select] of Object.entries(this.selects)) select.value = String(values[key] ?? "");
    this.search.value = "";
    this.changed();
  }

  /** Choose one value, as a reader would. */
  choose(key, value) {
    this.selects[key].value = value;
    this.changed();
  }

  reset() {
    this.show({});
    this.search.focus(); // the button is gone
  }

  changed() {
    this.clear.hidden = !this.text && Object.values(this.chosen).every((value) => !value);
    this.onChange();
  }
}

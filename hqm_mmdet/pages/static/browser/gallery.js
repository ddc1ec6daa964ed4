// Images by split, verb, object, finding and name; each opens large.

const PAGE = 24; // cards put into the page at a time
const DRAWN = 5; // triplets drawn on a card at most

class Gallery {
  /**
   * @param host element that it is put into.
   * @param data splits, verbs, objects, flags ({name, counts, images: by split}), cells, figures, pictures.
   */
  constructor(host, data) {
    this.host = host;
    this.data = data;
    const { splits, verbs, objects, flags, figures } = data;
    const used = new Set(figures.flatMap((figure) => figure.sets[0].triplets.flatMap((t) => [`v ${t.verb}`, `o ${this.objectOf(t)}`])));
    this.filters = new Filters("Filter by file name", "Filter images by file name", () => this.refresh());
    const add = (key, name, options, shown = true) => this.filters.addSelect(key, name, `Filter images by ${name}`, options, !shown);
    add("split", "split", splits.map((name, n) => [n, name]), splits.length > 1);
    add("verb", "verb", named(verbs.filter((name) => used.has(`v ${name}`))));
    add("object", "object", named(objects.filter((name) => used.has(`o ${name}`))));
    add("flag", "finding", named(flags.map(({ name }) => name)), flags.length > 0);
    this.count = make("output", { "aria-live": "polite" });
    this.told = make("p", { class: "told" });
    this.cards = make("div", { class: "cards" });
    this.more = make("button", { type: "button", class: "more", onclick: () => this.append() }, "Show more images");
    const controls = make("div", { class: "controls" }, this.filters.lists, this.filters.search, this.filters.clear, this.count);
    host.append(controls, this.told, this.cards, this.more);
    this.refresh();
  }

  objectOf(triplet) {
    return triplet.object ?? this.data.objects.at(-1);
  }

  /** Show what fits, and go there; values are those of the lists. */
  goTo(values) {
    this.filters.show(values);
    this.host.closest("section").scrollIntoView();
    this.cards.querySelector("button")?.focus({ preventScroll: true });
  }

  refresh() {
    const { chosen, text } = this.filters;
    this.matching = this.data.figures.filter((figure) => this.fits(figure, chosen) && figure.caption.toLowerCase().includes(text));
    this.count.textContent = `${grouped.format(this.matching.length)} of ${grouped.format(this.data.figures.length)} images match`;
    this.told.textContent = this.sentence(chosen);
    this.cards.replaceChildren();
    this.append();
    if (!this.matching.length) this.cards.append(make("p", { class: "empty" }, "No image of this page matches."));
  }

  fits(figure, { split, verb, object, flag }) {
    if (split && figure.split !== Number(split)) return false;
    if (flag && !figure.flags.includes(flag)) return false;
    return !(verb || object) || this.chosenTriplets(figure, verb, object).length > 0;
  }

  chosenTriplets(figure, verb, object) {
    return figure.sets[0].triplets.filter((t) => (!verb || t.verb === verb) && (!object || this.objectOf(t) === object));
  }

  /** How many there are in the whole data set. */
  sentence(chosen) {
    return [this.tripletSentence(chosen), this.flagSentence(chosen)].filter(Boolean).join(" ");
  }

  tripletSentence({ split, verb, object }) {
    if (!verb && !object) return "";
    const { verbs, objects, cells } = this.data;
    const fitting = cells.filter((cell) => (!verb || verbs[cell.verb] === verb) && (!object || objects[cell.object] === object));
    const hois = fitting.reduce((sum, cell) => sum + this.total(cell.hois, split), 0);
    const images = fitting.length === 1 ? ` in ${counted(this.total(fitting[0].images, split), "image")}` : "";
    return `${verb || "any verb"} ${object || "any object"}: ${this.place(split)} has ${counted(hois, "HOI")}${images}.`;
  }

  flagSentence({ split, flag }) {
    const found = this.data.flags.find(({ name }) => name === flag);
    return found ? `${flag}: found ${counted(this.total(found.counts, split), "time")} in ${counted(this.total(found.images, split), "image")} of ${this.place(split)}.` : "";
  }

  total(counts, split) {
    return counts.filter((_, n) => !split || n === Number(split)).reduce((sum, n) => sum + n, 0);
  }

  place(split) {
    return split ? this.data.splits[split] : "the data set";
  }

  append() {
    const start = this.cards.childElementCount;
    const cards = this.matching.slice(start, start + PAGE).map((figure, n) => this.makeCard(figure, start + n));
    this.cards.append(...cards);
    this.more.hidden = start + PAGE >= this.matching.length;
    if (start) cards[0]?.querySelector("button").focus();
  }

  makeCard(figure, position) {
    const { pictures } = this.data;
    const view = makePicture(pictures[figure.picture], figure.caption);
    limitHeight(view, pictures[figure.picture]);
    const [shown, all] = this.drawn(figure);
    view.show(shown);
    const open = (event) => openLightbox(this.matching.map((each) => this.enlarged(each)), position, pictures, event.currentTarget);
    const part = shown.length < all ? ` · ${shown.length} of ${all} drawn` : null;
    return cardOf(figure, make("span", {}, view.element), open, part);
  }

  /** What a card draws: what was filtered by, else HOIs, else boxes; not too many; and how many there are. */
  drawn(figure) {
    const { verb, object, flag } = this.filters.chosen;
    const first = figure.sets.find((set) => set.triplets.length)?.triplets ?? [];
    const found = this.found(figure, flag);
    const all = verb || object ? this.chosenTriplets(figure, verb, object) : found.length ? found : first;
    return [all.slice(0, DRAWN), all.length];
  }

  /** Boxes of a finding of this kind, each once. */
  found(figure, flag) {
    const set = figure.sets.find((each) => each.name === this.data.found);
    const boxes = (set?.triplets ?? []).filter((triplet) => triplet.verb === flag);
    return [...new Map(boxes.map((triplet) => [triplet.number, triplet])).values()];
  }

  /** For the lightbox: what was found comes first if it was filtered by. */
  enlarged(figure) {
    if (!this.found(figure, this.filters.chosen.flag).length) return figure;
    return { ...figure, sets: figure.sets.map((set) => ({ ...set, off: set.name !== this.data.found })) };
  }
}

function named(names) {
  return names.map((name) => [name, name]);
}

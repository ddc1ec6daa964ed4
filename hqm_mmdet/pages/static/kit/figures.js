// Pictures with their pairs, and cards that open the lightbox.

/**
 * A picture that redraws its pairs when its size on the screen changes.
 * @param picture {width, height, source, note} of the page's pictures.
 * @returns {element, show(triplets, lit)}
 */
function makePicture(picture, alt) {
  const { width, height, source, note } = picture;
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const image = source ? make("img", { src: source, alt, decoding: "async" }) : null;
  const label = image ? {} : { role: "img", "aria-label": `${alt} (${note})` };
  const element = make("span", { class: "picture", style: `aspect-ratio: ${width} / ${height}`, ...label }, image, svg);
  let shown = [[], null];
  const draw = () => {
    if (!svg.clientWidth) return;
    const scale = width / svg.clientWidth;
    svg.replaceChildren();
    if (!source) svg.append(makeSvg("text", { class: "nofile", x: width - 6 * scale, y: height - 7 * scale, "text-anchor": "end", "font-size": 12 * scale }, note));
    drawPairs(svg, shown[0], scale, shown[1]);
  };
  new ResizeObserver(draw).observe(element);
  return {
    element,
    show(triplets, lit = null) {
      shown = [triplets, lit];
      draw();
    },
  };
}

const CARDS = 4;
const CARD_HEIGHT = 20; // rem, of pictures at most

/**
 * Cards, the first four and the others on demand, each with one picture per set (as many triplets as the first set has, so that they compare), opening large.
 * @param host element that they are put into.
 * @param figures as figures.py makes them: caption, picture, sets, facts.
 * @param pictures the page's pictures by key.
 */
function makeFigures(host, figures, pictures) {
  const cards = figures.map((figure, n) => makeCard(figure, pictures, (event) => openLightbox(figures, n, pictures, event.currentTarget)));
  const sides = Math.max(1, ...figures.map((figure) => figure.sets.length));
  for (const card of cards.slice(CARDS)) card.hidden = true;
  host.append(make("div", { class: "cards", style: `--sides: ${sides}` }, cards));
  if (cards.length > CARDS) host.append(moreButton(cards.slice(CARDS)));
}

function moreButton(cards) {
  const button = make("button", { type: "button", class: "more" }, `Show ${cards.length} more`);
  button.addEventListener("click", () => {
    for (const card of cards) card.hidden = false;
    cards[0].querySelector("button").focus();
    button.remove();
  });
  return button;
}

/** Keep a picture from being higher than a card should be. */
function limitHeight({ element }, { width, height }) {
  element.style.width = `min(100%, ${((CARD_HEIGHT * width) / height).toFixed(1)}rem)`;
}

function makeCard(figure, pictures, open) {
  const sides = figure.sets.map((set) => {
    const side = makePicture(pictures[figure.picture], `${figure.caption}, ${set.name.toLowerCase()}`);
    limitHeight(side, pictures[figure.picture]);
    side.show(shownOf(figure, set));
    return make("span", { class: "panel" }, make("small", {}, setLabel(figure, set)), side.element);
  });
  return cardOf(figure, sides, open);
}

/** A card: what opens large, and below it the image's name, its facts and a note. */
function cardOf(figure, content, open, note = null) {
  const button = make("button", { type: "button", "aria-haspopup": "dialog", "aria-label": `Enlarge ${figure.caption}`, onclick: open }, content);
  return make("figure", { class: "card" }, button, make("figcaption", {}, make("strong", {}, figure.caption), figure.facts.map((fact) => ` · ${fact}`), note));
}

/** As many triplets of a set as the first one has, at least one; or the whole set. */
function shownOf(figure, set) {
  if (set.whole) return set.triplets;
  return set.triplets.slice(0, Math.max(1, figure.sets[0].triplets.length));
}

function setLabel(figure, set) {
  const shown = shownOf(figure, set).length;
  return shown < set.triplets.length ? `${set.name}, best ${shown} of ${set.triplets.length}` : set.name;
}

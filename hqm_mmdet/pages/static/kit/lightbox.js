// One image large, its triplets listed beside it. Arrow keys go through the images, Escape closes.

function openLightbox(figures, start, pictures, opener = null) {
  const dialog = make("dialog", { class: "lightbox", "aria-labelledby": "lightbox-title" });
  let position = start;
  const go = (step) => {
    const next = position + step;
    if (next < 0 || next >= figures.length) return;
    position = next;
    show();
  };
  const previous = make("button", { type: "button", class: "previous", onclick: () => go(-1), "aria-label": "Previous image" }, "←", make("span", { class: "word" }, " Previous"));
  const next = make("button", { type: "button", class: "next", onclick: () => go(1), "aria-label": "Next image" }, make("span", { class: "word" }, "Next "), "→");
  const close = make("button", { type: "button", class: "close", onclick: () => dialog.close(), "aria-label": "Close" }, "✕");
  const title = make("h3", { id: "lightbox-title" });
  const place = make("span", { class: "place", "aria-live": "polite" });
  const body = make("div", { class: "body" });
  const show = () => {
    title.textContent = figures[position].caption;
    place.textContent = `${position + 1} of ${figures.length}`;
    previous.disabled = position === 0;
    next.disabled = position === figures.length - 1;
    if (document.activeElement?.disabled) close.focus();
    body.replaceChildren(...lightboxBody(figures[position], pictures));
  };
  dialog.append(make("header", {}, title, place, previous, next, close), body);
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) go(step);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus();
  });
  document.body.append(dialog);
  show();
  dialog.showModal();
}

/** One picture per set that is switched on, as large as they fit, and the lists beside them. */
function lightboxBody(figure, pictures) {
  const picture = pictures[figure.picture];
  const stage = make("div", { class: "stage" });
  const panels = figure.sets.map((set) => makePanel(figure, set, picture));
  const arrange = () => fit(stage, panels.filter((panel) => panel.on), picture);
  new ResizeObserver(arrange).observe(stage);
  const toggle = (panel, on) => {
    panel.on = on;
    for (const button of panel.list.querySelectorAll("li button")) button.disabled = !on;
    panel.element.hidden = !on;
    arrange();
  };
  for (const panel of panels) {
    panel.list = setList(panel, toggle);
    if (panel.set.off) toggle(panel, false);
  }
  stage.append(...panels.map((panel) => panel.element));
  return [stage, make("div", { class: "side" }, facts(figure), panels.map((panel) => panel.list), help())];
}

function makePanel(figure, set, picture) {
  const view = makePicture(picture, `${figure.caption}, ${set.name.toLowerCase()}`);
  const shown = shownOf(figure, set);
  const light = (triplet) => view.show(triplet && !shown.includes(triplet) ? [...shown, triplet] : shown, triplet);
  light(null);
  return { set, view, light, on: !set.off, element: make("span", { class: "panel" }, make("small", {}, setLabel(figure, set)), view.element) };
}

/** Sizes of the pictures: in as many columns as make them largest. */
function fit(stage, panels, picture) {
  if (!panels.length) return;
  const gap = 10;
  const caption = 20;
  const { clientWidth, clientHeight } = stage;
  const widths = panels.map((_, n) => {
    const columns = n + 1;
    const rows = Math.ceil(panels.length / columns);
    const across = (clientWidth - 2 * gap) / columns - gap;
    const down = (clientHeight - 2 * gap) / rows - gap - caption;
    return Math.max(40, Math.min(across, (down * picture.width) / picture.height));
  });
  for (const { view } of panels) view.element.style.width = `${Math.floor(Math.max(...widths))}px`;
}

function facts(figure) {
  return figure.facts.length ? make("p", { class: "facts" }, figure.facts.join(" · ")) : null;
}

function setList(panel, toggle) {
  const { set, light } = panel;
  const box = make("input", { type: "checkbox", checked: !set.off, onchange: (event) => toggle(panel, event.target.checked) });
  const items = set.triplets.map((triplet) => make("li", {}, tripletButton(triplet, light)));
  const none = items.length ? null : make("p", { class: "help" }, "none");
  return make("div", { class: "set" }, make("label", {}, box, `${set.name} (${set.triplets.length})`), none, make("ol", {}, items));
}

function tripletButton(triplet, light) {
  const score = triplet.score === null ? "" : triplet.score.toFixed(2);
  const verdict = triplet.verdict && triplet.verdict !== UNJUDGED ? make("small", {}, ` ${signOf(triplet)}${triplet.verdict}`) : null;
  const key = make("span", { class: "key", style: `--pair: ${colourOf(triplet, triplet.number ?? 0)}` });
  const on = () => light(triplet);
  const off = () => light(null);
  return make("button", { type: "button", onmouseenter: on, onfocus: on, onclick: on, onmouseleave: off, onblur: off }, key, make("span", {}, tripletText(triplet), verdict), score);
}

function help() {
  return make("p", { class: "help" }, "Solid: subject. Dashed: object. Point at a triplet to see it alone. ", make("kbd", {}, "←"), " ", make("kbd", {}, "→"), " previous and next image, ", make("kbd", {}, "Esc"), " closes.");
}

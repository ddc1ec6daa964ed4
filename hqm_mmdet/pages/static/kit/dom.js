"use strict";
// Elements. Texts become text nodes, never markup, so that names from data stay text.

const SVG = "http://www.w3.org/2000/svg";

/** What the page was made from. */
function pageData() {
  return JSON.parse(document.getElementById("page-data").textContent);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** make("button", {class: "x", onclick: f}, "text", child, ...) */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Numbers as readers see them; pages/formats.py writes the same. Null: there is none.

const NOTHING = "–";
const grouped = new Intl.NumberFormat("en");

function percent(value, digits = 2) {
  return value === null ? NOTHING : (100 * value).toFixed(digits);
}

function points(value) {
  if (value === null) return NOTHING;
  const text = Math.abs(100 * value).toFixed(2);
  return Number(text) === 0 ? text : (value > 0 ? "+" : "−") + text;
}

/** 1 image, 2,000 images. */
function counted(number, noun) {
  return `${grouped.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

const FORMATS = {
  text: (value) => (value === null ? NOTHING : String(value)),
  count: (value) => (value === null ? NOTHING : grouped.format(value)),
  percent,
  points,
};

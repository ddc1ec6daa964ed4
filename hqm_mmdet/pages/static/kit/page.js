// What every page does: "/" goes to the filter at hand, the table of contents follows the reader.

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, dialog");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const filters = [...document.querySelectorAll("[data-filter]")].filter((input) => input.offsetParent);
  const below = filters.find((input) => input.getBoundingClientRect().bottom > 0) ?? filters.at(-1);
  if (!below) return;
  event.preventDefault();
  below.focus();
  below.scrollIntoView({ block: "center" });
});

{
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "-15% 0px -75% 0px" },
  );
  for (const section of document.querySelectorAll("main > section")) seen.observe(section);
}

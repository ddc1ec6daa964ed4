// Puts the parts of the data set's page together.

{
  const data = pageData();
  const host = (name) => document.querySelector(`[data-host="${name}"]`);
  const gallery = new Gallery(host("gallery"), data);
  new TripletMatrix(host("matrix"), data, (verb, object, split) => gallery.goTo({ verb: data.verbs[verb], object: data.objects[object], split }));
  const openRow = (table, filters) => (row) => gallery.goTo(filters(data.tables[table].rows[row]));
  const hint = "Show its images";
  new DataTable(host("verbs"), data.tables.verbs, { hint, onOpen: openRow("verbs", ([verb]) => ({ verb })) });
  new DataTable(host("objects"), data.tables.objects, { hint, onOpen: openRow("objects", ([object]) => ({ object })) });
  new DataTable(host("triplets"), data.tables.triplets, { hint, onOpen: openRow("triplets", ([verb, object]) => ({ verb, object })) });
  for (const button of document.querySelectorAll("[data-flag]")) {
    button.addEventListener("click", () => gallery.goTo({ flag: button.dataset.flag }));
  }
}

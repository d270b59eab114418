// Finds columns by words of their names, units and texts. The index is a file of the site.
(() => {
  const most = 200;
  const query = document.getElementById("column-query");
  const results = document.getElementById("column-results");
  const count = document.getElementById("column-count");
  const columns = window.COLUMNS.map((column) => ({
    ...column,
    words: `${column.name} ${column.name.replaceAll("_", " ")} ${column.unit} ${column.text}`.toLowerCase(),
  }));

  const cell = (row, ...parts) => row.insertCell().append(...parts);
  const code = (text) => Object.assign(document.createElement("code"), { textContent: text });
  const links = (column) => {
    const shown = document.createDocumentFragment();
    for (const page of column.pages) {
      const link = Object.assign(document.createElement("a"), { textContent: page });
      link.href = `stream/${page}.html#${encodeURIComponent(column.name)}`;
      shown.append(link, " ");
    }
    return shown;
  };

  const show = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length ? columns.filter((column) => words.every((word) => column.words.includes(word))) : [];
    const exact = query.value.trim().toLowerCase();
    found.sort((a, b) => (b.name.includes(exact) - a.name.includes(exact)) || a.name.length - b.name.length);
    results.replaceChildren();
    for (const column of found.slice(0, most)) {
      const row = results.insertRow();
      cell(row, code(column.name));
      cell(row, column.unit);
      cell(row, column.text);
      cell(row, links(column));
    }
    const more = found.length > most ? `, the first ${most} shown` : "";
    count.textContent = words.length ? `${found.length} found${more}` : "";
    history.replaceState(null, "", exact ? `#q=${encodeURIComponent(query.value)}` : location.pathname);
  };

  query.addEventListener("input", show);
  if (location.hash.startsWith("#q=")) {
    query.value = decodeURIComponent(location.hash.slice(3));
    show();
  }
})();

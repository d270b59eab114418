// On a phone each row of a table becomes a card; a card names the column of each of its cells.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.docutils")) {
    const titles = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    for (const row of titles.length > 1 ? table.tBodies[0]?.rows ?? [] : []) {
      [...row.cells].forEach((cell, place) => {
        cell.setAttribute("data-title", titles[place] ?? "");
        cell.toggleAttribute("data-empty", !cell.textContent.trim());
      });
      table.classList.add("cards");
    }
  }
});

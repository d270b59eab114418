// On a phone each row of a table becomes a card; a card names the column of each of its cells.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.docutils")) {
    const titles = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    for (const row of titles.length > 1 ? table.tBodies[0]?.rows ?? [] : []) {
      [...row.cells].forEach((cell, place) => {
        // The first cell is the title of the card; a second one alone needs no name.
        if (place && titles.length > 2) cell.setAttribute("data-title", titles[place] ?? "");
        cell.toggleAttribute("data-empty", !cell.textContent.trim());
      });
      table.classList.add("cards");
    }
  }
});

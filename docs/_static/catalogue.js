// Narrows and sorts the table of optimizers; without a script the whole table is there.
addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table.catalogue"), fields = document.querySelector(".narrow");
  if (!table || !fields) return;
  const body = table.tBodies[0], rows = [...body.rows], told = fields.querySelector("output");
  const [search, most] = fields.querySelectorAll("input"), kind = fields.querySelector("select");
  const narrow = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && (!kind.value || row.cells[2].textContent === kind.value)
        && (most.value === "" || Number(row.cells[3].textContent) <= Number(most.value)));
      shown += !row.hidden;
    }
    told.textContent = `${shown} of ${rows.length}`;
  };
  for (const field of [search, most, kind]) field.addEventListener("input", narrow);
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].firstChild?.textContent.trim() ?? "";
      const compare = (a, b) => (key(a) === "") - (key(b) === "") || (down ? -1 : 1) * key(a).localeCompare(key(b), "en", { numeric: true });
      body.append(...rows.sort(compare));
    });
  });
  fields.hidden = false;
  narrow();
});

// The order of the characters in the grid: most recognised first, as they come, or by franchise or name.
(() => {
  "use strict";
  const bodies = [...document.querySelectorAll("#grid tbody")];
  const buttons = [...document.querySelectorAll(".sort button")];
  const ranked = bodies.flatMap((body) => [...body.rows]);
  const sizes = bodies.map((body) => body.rows.length);

  function sort(by) {
    const key = (row) => (by === "franchise" ? row.dataset.franchise + "\n" : "") + row.dataset.name;
    const rows = [...ranked];
    if (by !== "rank") rows.sort((a, b) => key(a).localeCompare(key(b)));
    bodies.forEach((body, i) => body.append(...rows.splice(0, sizes[i])));
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.sort === by));
  }

  for (const button of buttons) button.addEventListener("click", () => sort(button.dataset.sort));
  for (const control of document.querySelectorAll(".sort")) control.hidden = false;
})();

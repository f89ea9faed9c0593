// Only an extra: twins come beside each other, and steps from one stretch to the next. Links do without.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const marks = [...document.querySelectorAll("#output mark")];
  const panes = [one("#output"), one("#work")].filter(Boolean);
  const where = one("#where"), before = one("#before"), next = one("#next");
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  let at = -1;

  const twinOf = (id) => document.getElementById((id[0] === "o" ? "r" : "o") + id.slice(1));
  const paneOf = (element) => element.closest(".text");

  // Bring an element to a height of its own pane, without moving the page.
  function bring(element, top) {
    const pane = paneOf(element);
    const from = element.getClientRects()[0]?.top ?? element.getBoundingClientRect().top;
    pane.scrollBy({ top: from - pane.getBoundingClientRect().top - top, behavior: quiet.matches ? "instant" : "smooth" });
  }

  function light(elements) {
    for (const hot of document.querySelectorAll(".hot")) hot.classList.remove("hot");
    for (const element of elements) (element.closest("mark") ?? element).classList.add("hot");
  }

  function tell(number) {
    at = marks.findIndex((mark) => mark.id === `o${number}`);
    where.textContent = at < 0 ? `${number}` : `${at + 1} of ${marks.length}`;
    before.disabled = at <= 0;
    next.disabled = at === marks.length - 1;
  }

  function show(element, moveIt) {
    const twin = twinOf(element.id);
    const pane = paneOf(element);
    const top = moveIt ? 64 : Math.max(12, (element.getClientRects()[0]?.top ?? 0) - pane.getBoundingClientRect().top);
    if (moveIt) bring(element, top);
    if (twin) bring(twin, Math.min(top, paneOf(twin).clientHeight - 80));
    light(twin ? [element, twin] : [element]);
    tell(element.id.slice(1));
  }

  for (const pane of panes) {
    pane.addEventListener("click", (event) => {
      const number = event.target.closest("a.no"), mark = event.target.closest("mark");
      if (!mark || (number && !/^#[or]\d/.test(number.getAttribute("href"))) || String(getSelection())) return;
      event.preventDefault();
      show(number?.id ? number : mark, false);
    });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".strip a, .stretches a.no");
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target || !paneOf(target)) return;
    event.preventDefault();
    one(".pair").scrollIntoView({ block: "nearest" });
    show(target, true);
  });
  before.addEventListener("click", () => show(marks[at - 1], true));
  next.addEventListener("click", () => show(marks[at + 1], true));
  if (marks.length) {
    one(".steps").hidden = false;
    before.disabled = true;
  }
})();

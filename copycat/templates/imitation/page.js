// Only an extra: search, filter and order of the cards. All else works without.
(() => {
  "use strict";
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const tools = one(".tools");
  if (!tools) return;
  const find = one("#find"), side = one("#side"), order = one("#order"), more = one(".more");
  const lists = all(".cards"), firstFew = lists[0].children.length;
  const cards = all(".card");
  const dots = new Map();
  for (const dot of all("a.dot")) {
    const id = dot.getAttribute("href").slice(1);
    dots.set(id, [...(dots.get(id) ?? []), dot]);
  }

  function filter() {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      card.hidden = !card.dataset.find.includes(text) || (side.value !== "" && card.dataset.side !== side.value);
      shown += !card.hidden;
    }
    if (more && (text || side.value)) more.open = true;
    one("#shown").textContent = `${shown} of ${cards.length} concept${cards.length === 1 ? "" : "s"}`;
    one(".nothing-found").hidden = shown > 0;
  }

  function sort() {
    const by = {
      most: (a, b) => b.dataset.count - a.dataset.count,
      fewest: (a, b) => a.dataset.count - b.dataset.count,
      score: (a, b) => b.dataset.score - a.dataset.score,
      name: (a, b) => a.dataset.find.localeCompare(b.dataset.find),
    }[order.value];
    const sorted = [...cards].sort(by);
    lists[0].append(...sorted.slice(0, firstFew));
    lists[1]?.append(...sorted.slice(firstFew));
  }

  // A link from the curve leads to a card even if it is folded away or a filter hides it.
  function unfilter() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || (!target.hidden && (!more || more.open || !more.contains(target)))) return;
    find.value = side.value = "";
    filter();
    if (more?.contains(target)) more.open = true;
    target.scrollIntoView();
  }

  function light(event) {
    for (const dot of dots.get(event.currentTarget.id) ?? []) dot.classList.toggle("hot", event.type === "mouseenter");
  }

  for (const control of [find, side]) control.addEventListener("input", filter);
  order.addEventListener("input", sort);
  addEventListener("hashchange", unfilter);
  for (const curve of all(".curve")) curve.addEventListener("click", (event) => event.target.closest("a") && setTimeout(unfilter)); // the same link again
  for (const card of cards) for (const type of ["mouseenter", "mouseleave"]) card.addEventListener(type, light);
  tools.hidden = false;
  filter();
})();

// Only an extra: filters for the pictures. All else works without.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);

  const find = one("#find"), anchor = one("#anchor"), verdict = one("#verdict");
  // Looked up once: a page holds thousands of elements, and a filter should answer at once.
  const characters = all(".character").map((section) => ({
    section,
    text: section.dataset.find,
    strips: all(".strip", section).map((strip) => ({ strip, shots: all(".shot", strip) })),
  }));
  const total = all(".shot").length;

  function filter() {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const { section, text: named, strips } of characters) {
      let inCharacter = 0;
      for (const { strip, shots } of strips) {
        const isAsked = named.includes(text) && (!anchor.value || strip.dataset.anchor === anchor.value);
        let inStrip = 0;
        for (const shot of shots) {
          shot.hidden = !isAsked || (verdict.value !== "" && shot.dataset.end !== verdict.value);
          inStrip += !shot.hidden;
        }
        strip.hidden = !inStrip;
        inCharacter += inStrip;
      }
      section.hidden = !inCharacter;
      shown += inCharacter;
    }
    one("#shown").textContent = `${shown} of ${total} ${one("#shown").dataset.noun}`;
    one(".nothing-found").hidden = shown > 0;
  }

  // A link leads to a character or a picture even if a filter hides it.
  function unfilter() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const hidden = target.closest("[hidden]");
    if (hidden) {
      find.value = anchor.value = verdict.value = "";
      filter();
    }
    const isShot = target.matches(".shot");
    if (isShot) target.querySelector("details").open = true;
    if (hidden || isShot) {
      target.scrollIntoView();
      // Sections above get their true height once they have been on screen.
      setTimeout(() => target.scrollIntoView(), 100);
    }
  }

  for (const control of [find, anchor, verdict]) control.addEventListener("input", filter);
  addEventListener("hashchange", unfilter);
  one("#grid").addEventListener("click", (event) => event.target.closest("a") && setTimeout(unfilter)); // the same link again
  for (const control of all(".filters")) control.hidden = false;
  filter();
  unfilter();
})();

// Only an extra: filters for the pictures. All else works without.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);

  const find = one("#find"), anchor = one("#anchor"), verdict = one("#verdict");
  const pairs = all(".pair");

  function filter() {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const character of all(".character")) {
      const isNamed = character.dataset.find.includes(text);
      let inCharacter = 0;
      for (const strip of all(".strip", character)) {
        const isAsked = isNamed && (!anchor.value || strip.dataset.anchor === anchor.value);
        let inStrip = 0;
        for (const pair of all(".pair", strip)) {
          pair.hidden = !isAsked || (verdict.value !== "" && !pair.dataset.tags.split(" ").includes(verdict.value));
          inStrip += !pair.hidden;
        }
        strip.hidden = !inStrip;
        inCharacter += inStrip;
      }
      character.hidden = !inCharacter;
      shown += inCharacter;
    }
    one("#shown").textContent = `${shown} of ${pairs.length} ${one("#shown").dataset.noun}`;
    one(".nothing-found").hidden = shown > 0;
  }

  // A link from the grid leads to a character even if a filter hides it.
  function unfilter() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.hidden) return;
    find.value = anchor.value = verdict.value = "";
    filter();
    target.scrollIntoView();
    // Sections above get their true height once they have been on screen.
    setTimeout(() => target.scrollIntoView(), 100);
  }

  for (const control of [find, anchor, verdict]) control.addEventListener("input", filter);
  addEventListener("hashchange", unfilter);
  one("#grid").addEventListener("click", (event) => event.target.closest("a") && setTimeout(unfilter)); // the same link again
  for (const control of all(".filters")) control.hidden = false;
  filter();
})();

// Lays two runs beside each other. Runs come from the list on the page only, whatever the address asks for; what they
// say is put into the page as text, never as markup.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const selectA = one("#a"), selectB = one("#b"), find = one("#find"), anchor = one("#anchor"), show = one("#show");

  /** Make an element: attributes by name, children as nodes or text. */
  function el(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(name, "");
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }
  const mark = (isB) => el("i", { class: isB ? "mark" : "mark hollow", "aria-hidden": "true" });
  const percent = (share) => `${(100 * share).toFixed(1)}\u202f%`;
  const points = (share) => `${share < 0 ? "\u2212" : share > 0 ? "+" : ""}${Math.abs(100 * share).toFixed(1)}`;

  // ------------------------------------------------------------------ which runs there are, and which are asked for

  const known = new Map(all("optgroup", selectA).flatMap((group) => [...group.children].map((option) => [option.value, {
    id: option.value, text: option.textContent, judge: option.dataset.judge, baseline: option.dataset.baseline, isPlain: "plain" in option.dataset,
    group: group.label, characters: group.dataset.characters,
  }])));

  function tell(text, isBad = false) {
    one("#told").textContent = text;
    one("#told").classList.toggle("bad", isBad);
  }

  /** Offer for B only what can be compared with A. */
  function offer(idA, idB) {
    const runs = [...known.values()].filter((run) => run.id !== idA && (!idA || run.group === known.get(idA).group));
    selectB.replaceChildren(el("option", { value: "" }, "choose a run"), ...runs.map((run) => el("option", { value: run.id }, run.text)));
    selectA.value = idA;
    selectB.value = runs.some((run) => run.id === idB) ? idB : "";
  }

  const isBackwards = (a, b) => Boolean(a && b && known.get(b).isPlain && !known.get(a).isPlain);

  /** Read the address; gives the two ids, "" for none, and says what is wrong with it. */
  function asked() {
    const query = new URLSearchParams(location.search);
    let [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
    let wrong = "";
    if (a === "baseline") {
      a = known.get(b)?.baseline ?? "";
      if (!a) wrong = "The run without a mitigation that belongs to this one is not on the board. Choose another.";
    }
    for (const id of [a, b]) {
      if (id && !known.has(id)) wrong = `There is no run “${id.slice(0, 200)}” on this board. Choose from the lists.`;
    }
    [a, b] = [a, b].map((id) => (known.has(id) ? id : ""));
    if (a && b && known.get(a).group !== known.get(b).group) {
      wrong = "These runs are of different characters or suites and cannot be compared.";
      b = "";
    }
    // The run without a mitigation is A, so that a difference has the sign that it has elsewhere, unless somebody swapped.
    if (isBackwards(a, b) && !query.has("swapped")) [a, b] = [b, a];
    return { a, b, wrong, find: query.get("find") ?? "", anchor: query.get("anchor") ?? "", show: query.get("show") ?? "" };
  }

  function remember(isNew) {
    const query = new URLSearchParams();
    const state = { a: selectA.value, b: selectB.value, find: find.value, anchor: anchor.value, show: show.value, swapped: isBackwards(selectA.value, selectB.value) ? "1" : "" };
    for (const [name, value] of Object.entries(state)) if (value) query.set(name, value);
    const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
    history[isNew ? "pushState" : "replaceState"](null, "", address);
  }

  const folderOf = (id) => `runs/${id.split("/").map(encodeURIComponent).join("/")}`;

  // ------------------------------------------------------------------ their samples

  const loaded = new Map();
  const waiting = new Map();
  window.copycatRun = (id, text) => waiting.get(id)?.(JSON.parse(text));

  /** Load data.js of a run as a script, because a page from disk may not fetch files. */
  function load(id) {
    if (!loaded.has(id)) {
      loaded.set(id, new Promise((resolve, reject) => {
        waiting.set(id, resolve);
        const script = el("script", { src: `${folderOf(id)}/data.js` });
        script.onerror = () => { loaded.delete(id); reject(new Error(`The pictures of ${known.get(id).text} cannot be loaded.`)); };
        document.head.append(script);
      }));
    }
    return loaded.get(id);
  }

  const FIELDS = ["character", "anchor", "repeat", "seed", "ending", "seen", "confidence", "consistency", "href", "width", "height", "text", "detail", "key"];
  const ANSWERS = new Set(["target", "other", "none", "refused", "blocked"]);

  function unpacked(run) {
    return run.samples.map((values) => {
      const sample = Object.fromEntries(FIELDS.map((name, i) => [name, values[i]]));
      [sample.character, sample.anchor] = [run.characters[sample.character], run.anchors[sample.anchor]];
      [sample.prompt, sample.negative, sample.guide] = run.texts[sample.text];
      sample.isAnswer = ANSWERS.has(sample.ending);
      sample.isTarget = sample.ending === "target";
      return sample;
    });
  }

  /** Match requests by character, anchor and repeat, in the order of A. */
  function paired(runA, runB) {
    const pairs = new Map();
    for (const [side, run] of [["a", runA], ["b", runB]]) {
      for (const sample of unpacked(run)) {
        const place = JSON.stringify([sample.character[0], sample.anchor, sample.repeat]);
        if (!pairs.has(place)) pairs.set(place, { a: null, b: null, any: sample });
        pairs.get(place)[side] = sample;
      }
    }
    return [...pairs.values()].map((pair) => ({ ...pair, isWhole: Boolean(pair.a?.isAnswer && pair.b?.isAnswer), kinds: kindsOf(pair) }));
  }

  function kindsOf({ a, b }) {
    const kinds = [];
    if (a?.isTarget) kinds.push("a");
    if (b?.isTarget) kinds.push("b");
    if (a?.isAnswer && b?.isAnswer) {
      kinds.push(a.isTarget ? (b.isTarget ? "both" : "only-a") : b.isTarget ? "only-b" : "neither");
      if (a.ending !== b.ending || a.seen !== b.seen) kinds.push("changed");
    } else kinds.push("incomplete");
    return kinds;
  }

  // ------------------------------------------------------------------ what they add up to

  const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null);

  /** Say how many: "1 character is", "3 characters are", "no character is". */
  const many = (n, one, more) => (n > 1 ? `${n} ${more}` : `${n || "no"} ${one}`);

  function added(pairs) {
    const whole = pairs.filter((pair) => pair.isWhole);
    const rated = whole.filter((pair) => pair.a.consistency !== null && pair.b.consistency !== null);
    const byCharacter = new Map();
    for (const { a, b } of whole) byCharacter.set(a.character[0], (byCharacter.get(a.character[0]) ?? 0) + b.isTarget - a.isTarget);
    const changes = [...byCharacter.values()];
    const count = (kind) => whole.filter((pair) => pair.kinds.includes(kind)).length;
    return {
      n: whole.length, leftOut: pairs.length - whole.length,
      both: count("both"), "only-a": count("only-a"), "only-b": count("only-b"), neither: count("neither"),
      detect: [mean(whole.map((pair) => +pair.a.isTarget)), mean(whole.map((pair) => +pair.b.isTarget))],
      cons: [mean(rated.map((pair) => pair.a.consistency)), mean(rated.map((pair) => pair.b.consistency))],
      detectInterval: copycatIntervals.pairedInterval(whole.map(({ a, b }) => [a.character[0], +a.isTarget, +b.isTarget])),
      consInterval: copycatIntervals.pairedInterval(rated.map(({ a, b }) => [a.character[0], a.consistency, b.consistency])),
      more: changes.filter((change) => change > 0).length, less: changes.filter((change) => change < 0).length, same: changes.filter((change) => !change).length,
      sameSeeds: whole.filter((pair) => pair.a.seed === pair.b.seed).length,
    };
  }

  function drawOverview(runs, sums) {
    const parts = [];
    if (runs[0].judge !== runs[1].judge) parts.push(el("p", { class: "label warn" }, el("b", {}, "judges differ: "), "verdicts of A and B can differ for that reason alone"));
    const row = (name, tone, [a, b], interval) => el("tr", { class: tone }, el("th", { scope: "row" }, name),
      el("td", {}, el("b", {}, a === null ? "\u2013" : percent(a))), el("td", {}, el("b", {}, b === null ? "\u2013" : percent(b))),
      el("td", {}, a === null || b === null ? "\u2013" : points(b - a)), el("td", { class: "interval" }, interval ? `[${interval.map(points).join(", ")}]` : "\u2013"));
    const heads = runs.map((run, i) => el("th", { scope: "col" }, mark(i === 1), el("a", { href: `${folderOf(run.id)}/index.html` }, i ? "B" : "A")));
    const measured = el("table", { class: "measured" }, el("caption", { class: "sr" }, "Figures over the pairs that both answered"),
      el("thead", {}, el("tr", {}, el("td"), ...heads, el("th", { scope: "col" }, "B minus A, points"), el("th", { scope: "col" }, "95\u202f% interval"))),
      el("tbody", {}, row("DETECT", "detect", sums.detect, sums.detectInterval), row("CONS", "cons", sums.cons, sums.consInterval)));
    const cell = (kind) => el("td", {}, el("button", { type: "button", class: kind, "data-show": kind, "aria-pressed": "false", "aria-label": `${sums[kind]} pairs: ${show.querySelector(`[value="${kind}"]`).textContent}` }, String(sums[kind])));
    const fourfold = el("table", { class: "fourfold" }, el("caption", {}, `${many(sums.n, "pair", "pairs")} that both answered; press a number to see them`),
      el("thead", {}, el("tr", {}, el("td"), el("th", { scope: "col" }, mark(true), "B shows it"), el("th", { scope: "col" }, mark(true), "B does not"))),
      el("tbody", {}, el("tr", {}, el("th", { scope: "row" }, mark(false), "A shows it"), cell("both"), cell("only-a")),
        el("tr", {}, el("th", { scope: "row" }, mark(false), "A does not"), cell("only-b"), cell("neither"))));
    parts.push(el("div", { class: "versus" }, measured, fourfold));
    const p = copycatIntervals.signTest(sums.more, sums.less);
    parts.push(el("p", { class: "verdict-of" }, `In B, ${many(sums.less, "character is", "characters are")} recognised less often than in A, ${sums.more || "none"} more often and ${sums.same || "none"} as often.`));
    parts.push(el("p", { class: "verdict-of" }, `The intervals are of the paired difference and count characters, as those of a mitigation beside its baseline do. Chance alone would split characters so unevenly with p = ${p < 0.0001 ? "0.0001 or less" : p.toFixed(4)} (exact sign test over characters, two-sided); it counts directions only, so it can miss what an interval shows. ${many(sums.sameSeeds, "of these pairs has", "of these pairs have").replace(/^no /, "None ")} the same seed. ${sums.leftOut ? `${many(sums.leftOut, "further request has no answer in A or B and is", "further requests have no answer in A or B and are")} left out of all figures.` : ""}`.trim()));
    one("#overview").replaceChildren(...parts);
    for (const button of all("[data-show]", one("#overview"))) button.addEventListener("click", () => { show.value = show.value === button.dataset.show ? "" : button.dataset.show; filter(); remember(false); });
  }

  // ------------------------------------------------------------------ the pairs

  const SAID = { target: "the judge recognises the target", other: "the judge recognises another character, ", none: "the judge recognises no character", unjudged: "no verdict" };
  const PICTURE = /^pictures\/[0-9a-f]{2}\/[0-9a-f]{64}\.(png|webp)$/;

  function drawFrame(sample, side) {
    if (sample === null) return el("span", { class: "frame gone" }, el("span", { class: "tile" }, el("b", {}, "not asked"), `${side} has no such request`));
    if (PICTURE.test(sample.href ?? "")) {
      return el("span", { class: `frame ${sample.ending}` }, el("img", { src: sample.href, width: sample.width, height: sample.height, alt: `${side}: ${SAID[sample.ending] ?? ""}${sample.seen}`, loading: "lazy", decoding: "async" }));
    }
    const isMade = sample.ending in SAID;
    return el("span", { class: `frame ${isMade ? sample.ending : "gone"}` }, el("span", { class: "tile" }, el("b", {}, isMade ? "withheld" : sample.ending), isMade ? "" : sample.detail));
  }

  function drawCaption(sample, side, id) {
    if (sample === null) return el("div");
    const more = el("a", { href: `${folderOf(id)}/index.html#p-${encodeURIComponent(sample.key)}`, "aria-label": `More on ${side}: ${sample.character[1]}, ${sample.anchor}, picture ${sample.repeat + 1}` }, "more");
    if (!(sample.ending in SAID)) return el("div", {}, more);
    return el("div", {}, el("span", { class: `verdict ${sample.ending}` }, sample.ending), sample.confidence === null ? "" : ` ${percent(sample.confidence)}`,
      sample.seen ? el("span", { class: "seen" }, sample.seen) : "", sample.consistency === null ? "" : el("span", { class: "cons" }, `CONS ${percent(sample.consistency)}`), more);
  }

  function drawPair(pair) {
    const { a, b, any } = pair;
    const isSameSeed = !a || !b || a.seed === b.seed;
    const label = `Show ${any.character[1]}, ${any.anchor}, picture ${any.repeat + 1}`;
    pair.figure = el("figure", { class: "pair" },
      el("div", { class: "above" }, el("span", {}, mark(false), "A"), el("span", {}, mark(true), "B")),
      el("label", { class: "frames" }, el("input", { type: "checkbox", class: "sr", autocomplete: "off", "aria-label": label }), drawFrame(a, "A"), drawFrame(b, "B")),
      el("figcaption", {}, drawCaption(a, "A", selectA.value), drawCaption(b, "B", selectB.value), el("div", { class: isSameSeed ? "seed" : "seed apart" }, isSameSeed ? `seed ${any.seed}` : `seeds differ: ${a.seed}, ${b.seed}`)));
    return pair.figure;
  }

  /** What either was given, told once where both were given the same. */
  function drawTexts(pairs) {
    const texts = new Map();
    for (const pair of pairs) for (const side of ["a", "b"]) for (const [kind, name] of [["prompt", ""], ["negative", "negative "], ["guide", "guided by "]]) {
      const text = pair[side]?.[kind];
      if (text === null || text === undefined || (kind === "guide" && !text)) continue;
      const key = JSON.stringify([name, text]);
      if (!texts.has(key)) texts.set(key, { name, text, isQuoted: kind !== "guide", sides: new Set() });
      texts.get(key).sides.add(side);
    }
    const order = [...texts.values()].sort((one, other) => one.name.length - other.name.length);
    return order.map(({ name, text, isQuoted, sides }) => el("p", { class: "sent" }, el("span", { class: "who" }, sides.has("a") ? mark(false) : "", sides.has("b") ? mark(true) : "",
      el("span", { class: "sr" }, `${[...sides].join(" and ").toUpperCase()}: `)), name ? el("i", {}, name) : "", isQuoted ? el("q", {}, text) : text));
  }

  const tally = (pairs) => {
    const of = (side) => { const found = pairs.filter((pair) => pair[side]?.isAnswer); return `${found.filter((pair) => pair[side].isTarget).length}/${found.length}`; };
    return el("span", { class: "tally" }, mark(false), of("a"), el("span", { class: "arrow" }, " \u2192 "), mark(true), of("b"));
  };

  function drawPairs(pairs, characters) {
    const grouped = (items, key) => items.reduce((groups, item) => groups.set(key(item), [...(groups.get(key(item)) ?? []), item]), new Map());
    const sections = [...grouped(pairs, (pair) => pair.any.character[0]).values()].map((found) => {
      const [id, name, franchise] = found[0].any.character;
      const strips = [...grouped(found, (pair) => pair.any.anchor)].map(([label, inStrip]) => el("div", { class: "strip" },
        el("div", { class: "asked" }, el("h4", {}, label, tally(inStrip)), ...drawTexts(inStrip)), el("div", { class: "pairs" }, ...inStrip.map(drawPair))));
      return el("section", { class: "character", "aria-label": name }, el("header", {}, el("h3", {}, name), el("span", { class: "franchise" }, franchise), tally(found),
        el("label", { class: "reveal-some" }, el("input", { type: "checkbox", class: "reveal", autocomplete: "off" }), " show", el("span", { class: "sr" }, ` all pictures of ${name}`)),
        el("a", { href: `characters/${encodeURIComponent(characters)}/${encodeURIComponent(id)}.html`, "aria-label": `${name} in all runs` }, "all\u00a0runs")), ...strips);
    });
    one("#pairs").replaceChildren(...sections);
    one("#pairs").classList.toggle("narrow", pairs.every((pair) => pair.any.repeat === 0)); // two characters side by side
  }

  // ------------------------------------------------------------------ filters

  let current = [];

  function filter() {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const pair of current) {
      const { character, anchor: label } = pair.any;
      const isShown = `${character[1]} ${character[2]}`.toLowerCase().includes(text) && (!anchor.value || label === anchor.value) && (!show.value || pair.kinds.includes(show.value));
      pair.figure.hidden = !isShown;
      shown += isShown;
    }
    for (const strip of all("#pairs .strip")) strip.hidden = !strip.querySelector(".pair:not([hidden])");
    for (const section of all("#pairs .character")) section.hidden = !section.querySelector(".strip:not([hidden])");
    one("#shown").textContent = `${shown} of ${current.length} pairs`;
    one(".nothing-found").hidden = shown > 0;
    for (const button of all("#overview [data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === show.value));
  }

  // ------------------------------------------------------------------ from the address to the page

  async function draw(wanted) {
    offer(wanted.a, wanted.b);
    one("#overview").hidden = one("#gallery").hidden = true;
    one("#swap").disabled = !selectA.value || !selectB.value;
    if (!wanted.a || !wanted.b) {
      tell(wanted.wrong || (known.size ? "Choose two runs." : ""), Boolean(wanted.wrong));
      return;
    }
    tell("Loading \u2026");
    const runs = [known.get(wanted.a), known.get(wanted.b)];
    let samples;
    try {
      samples = await Promise.all(runs.map((run) => load(run.id)));
    } catch (error) {
      tell(error.message, true);
      return;
    }
    if (selectA.value !== wanted.a || selectB.value !== wanted.b) return; // another choice came first
    current = paired(...samples);
    const labels = [...new Set(current.map((pair) => pair.any.anchor))];
    anchor.replaceChildren(el("option", { value: "" }, "all anchors"), ...labels.map((label) => el("option", {}, label)));
    find.value = wanted.find;
    anchor.value = labels.includes(wanted.anchor) ? wanted.anchor : "";
    show.value = [...show.options].some((option) => option.value === wanted.show) ? wanted.show : "";
    drawOverview(runs, added(current));
    drawPairs(current, runs[0].characters);
    filter();
    tell("");
    one("#overview").hidden = one("#gallery").hidden = false;
  }

  const chosen = () => ({ a: selectA.value, b: selectB.value, wrong: "", find: find.value, anchor: anchor.value, show: show.value });
  selectA.addEventListener("change", () => { offer(selectA.value, selectB.value); remember(true); draw(chosen()); });
  selectB.addEventListener("change", () => { remember(true); draw(chosen()); });
  one("#swap").addEventListener("click", () => { offer(selectB.value, selectA.value); remember(true); draw(chosen()); });
  for (const control of [find, anchor, show]) control.addEventListener("input", () => { filter(); remember(false); });
  addEventListener("popstate", () => draw(asked()));
  draw(asked());
})();

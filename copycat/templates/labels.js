// Labels of one run, kept in this browser at every answer; nothing is sent anywhere.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const source = one("#items"), items = JSON.parse(source.textContent), storage = source.dataset.storage;
  const placeOf = new Map(items.map((item, place) => [item.key, place]));
  const COLUMNS = ["key", "image", "character", "label", "rater", "anyone", "sha256"];
  const ANSWERS = { yes: "yes", y: "yes", 1: "yes", true: "yes", no: "no", n: "no", 0: "no", false: "no", unsure: "unsure", u: "unsure", "?": "unsure" };

  // state.people: name -> {key: {label, anyone}}; each person at this browser has labels of their own.
  let state = { rater: "", here: 0, people: {} };
  let past = [];

  const labels = () => (state.people[state.rater] ??= {});
  const labelOf = (item) => labels()[item.key] ?? { label: "", anyone: "" };

  // ------------------------------------------------------------------ keeping

  function warn(text) {
    one("#notice").textContent = text;
    one("#notice").hidden = !text;
  }

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(storage)) ?? {};
    } catch (error) {
      warn("What was kept in this browser cannot be read. Go on from a downloaded CSV, if you have one.");
      return {};
    }
  }

  function load() {
    state = { ...state, ...kept() };
    state.here = Math.min(Math.max(0, state.here | 0), items.length - 1);
  }

  // What another tab has kept in the meantime is read first: nothing of it is written over.
  function update(act) {
    state.people = kept().people ?? state.people;
    act();
    keep();
    show();
  }

  function keep() {
    try {
      localStorage.setItem(storage, JSON.stringify(state));
    } catch (error) {
      warn("This browser keeps nothing. Download the CSV before you close the page.");
    }
  }

  // ------------------------------------------------------------------ showing

  const strip = one("#strip"), marks = items.map(() => strip.appendChild(document.createElement("i")));

  function show() {
    const item = items[state.here], { label, anyone } = labelOf(item);
    one("#picture").src = item.src;
    one("#name").textContent = item.name;
    one("#franchise").textContent = item.franchise;
    one("#looks-text").textContent = item.looks;
    one("#place").textContent = `picture ${state.here + 1} of ${items.length}`;
    for (const button of document.querySelectorAll("[data-label]")) {
      button.setAttribute("aria-pressed", String(button.dataset.label === label));
    }
    one("#anyone").checked = anyone === "yes";
    one("#back").disabled = state.here === 0;
    one("#next").disabled = state.here === items.length - 1;
    one("#undo").disabled = past.length === 0;
    one("#open").disabled = nextOpen() === -1;
    one("#rater").value = state.rater;
    count();
  }

  function count() {
    const tally = { yes: 0, no: 0, unsure: 0 };
    items.forEach((item, place) => {
      const { label } = labelOf(item);
      if (label) tally[label] += 1;
      marks[place].className = `${label}${place === state.here ? " here" : ""}`;
    });
    const done = tally.yes + tally.no + tally.unsure;
    one("#done").textContent = String(done);
    one("#tally").textContent = done ? `· ${tally.yes} yes, ${tally.no} no, ${tally.unsure} unsure` : "";
    document.title = `${done} of ${items.length} · copycat labels`;
  }

  // ------------------------------------------------------------------ answering

  function nextOpen() {
    for (let step = 1; step <= items.length; step += 1) {
      const place = (state.here + step) % items.length;
      if (!labelOf(items[place]).label) return place;
    }
    return -1;
  }

  function go(place) {
    if (place < 0 || place >= items.length) return;
    update(() => { state.here = place; });
  }

  function change(values) {
    const item = items[state.here], before = labelOf(item);
    past.push({ here: state.here, key: item.key, before });
    labels()[item.key] = { ...before, ...values };
  }

  function answer(label) {
    update(() => {
      change({ label });
      const open = nextOpen();
      const next = open === -1 ? "All pictures are labelled." : `Next: does it show ${items[open].name}?`;
      one("#said").textContent = `${label}. ${next}`;
      if (open !== -1) state.here = open;
    });
  }

  function toggleAnyone() {
    update(() => change({ anyone: labelOf(items[state.here]).anyone === "yes" ? "" : "yes" }));
  }

  function undo() {
    const last = past.pop();
    if (!last) return;
    one("#said").textContent = "undone";
    update(() => {
      labels()[last.key] = last.before;
      state.here = last.here;
    });
  }

  // A first name takes over what was labelled without one; another name begins anew, or where it stopped.
  function rename() {
    const name = one("#rater").value.trim();
    if (name === state.rater) return;
    past = [];
    update(() => {
      if (!state.rater && !state.people[name]) {
        state.people[name] = labels();
        delete state.people[""];
      }
      state.rater = name;
    });
  }

  // ------------------------------------------------------------------ CSV

  const quoted = (text) => (/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  function toCsv() {
    const rows = items.map((item) => {
      const { label, anyone } = labelOf(item);
      return [item.key, item.image, item.name, label, state.rater, anyone, item.sha256];
    });
    return "\ufeff" + [COLUMNS, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
  }

  function fromCsv(text) {
    const rows = [[""]];
    const first = text.replace(/^\ufeff/, "").split("\n")[0];
    const separator = [",", ";", "\t"].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
    let isQuoted = false;
    for (const letter of text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n")) {
      const row = rows[rows.length - 1], last = row.length - 1;
      if (letter === '"') isQuoted = !isQuoted;
      // A second quote inside quotes stands for one: it closed them and opens them again.
      if (letter === '"' && isQuoted && row[last].endsWith("\0")) row[last] = `${row[last].slice(0, -1)}"`;
      else if (letter === '"' && !isQuoted) row[last] += "\0";
      else if (letter === '"') continue;
      else if (letter === separator && !isQuoted) row.push("");
      else if (letter === "\n" && !isQuoted) rows.push([""]);
      else row[last] += letter;
    }
    const [head, ...body] = rows.map((row) => row.map((cell) => cell.replaceAll("\0", "").trim()));
    return body.map((row) => Object.fromEntries(head.map((name, place) => [name, row[place] ?? ""])));
  }

  async function bringIn(file) {
    const rows = fromCsv(await file.text());
    const filled = rows.filter((row) => row.label);
    const known = filled.filter((row) => {
      const item = items[placeOf.get(row.key)];
      return item && ANSWERS[row.label.toLowerCase()] && (!row.sha256 || row.sha256 === item.sha256);
    });
    if (!rows.length || !("key" in rows[0]) || !("label" in rows[0])) {
      warn(`${file.name} has no columns named key and label.`);
      return;
    }
    const names = [...new Set(known.map((row) => row.rater).filter(Boolean))];
    past = [];
    update(() => {
      if (names.length === 1 && !Object.keys(labels()).length) state.rater = names[0];
      for (const row of known) {
        labels()[row.key] = { label: ANSWERS[row.label.toLowerCase()], anyone: row.anyone === "yes" ? "yes" : "" };
      }
      const open = nextOpen();
      if (open !== -1) state.here = open;
    });
    const left = filled.length - known.length;
    warn(`${known.length} labels taken from ${file.name}.${left ? ` ${left} lines left out: not of these pictures, or no yes, no or unsure.` : ""}`);
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv" }));
    link.download = state.rater ? `labels-${state.rater.replace(/[^\p{L}\p{N}.-]/gu, "-")}.csv` : "labels.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  // ------------------------------------------------------------------ hands

  const looks = one("#looks");
  const KEYS = {
    y: () => answer("yes"),
    n: () => answer("no"),
    u: () => answer("unsure"),
    a: toggleAnyone,
    h: () => { looks.open = !looks.open; },
    z: undo,
    o: () => go(nextOpen()),
    ArrowLeft: () => go(state.here - 1),
    ArrowRight: () => go(state.here + 1),
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.id === "rater") return;
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (event.repeat && !event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    act();
  });
  for (const button of document.querySelectorAll("[data-label]")) {
    button.addEventListener("click", () => answer(button.dataset.label));
  }
  one("#anyone").addEventListener("change", toggleAnyone);
  one("#back").addEventListener("click", KEYS.ArrowLeft);
  one("#next").addEventListener("click", KEYS.ArrowRight);
  one("#undo").addEventListener("click", undo);
  one("#open").addEventListener("click", KEYS.o);
  one("#rater").addEventListener("change", rename);
  one("#rater").addEventListener("keydown", (event) => event.key === "Enter" && event.target.blur());
  one("#export").addEventListener("click", download);
  one("#import").addEventListener("change", (event) => {
    const file = event.target.files[0];
    if (file) bringIn(file);
    event.target.value = "";
  });
  strip.addEventListener("click", (event) => {
    const place = marks.indexOf(event.target);
    if (place >= 0) go(place);
  });
  // The same page in another tab may have gone on.
  addEventListener("focus", () => update(() => {}));

  load();
  show();
})();

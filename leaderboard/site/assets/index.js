// Sort, filter, search, columns, what is compared, and all of it in the address. The page reads well without.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const { numbers, words, write, save } = copycatExports;
  const FEW = 100, AT_FIRST = 50; // a board of few rows is shown whole
  const IDENTITY = ["mitigation", "judge", "suite"]; // in every file that is saved: without them a row says little
  const FIRST_ON_PHONES = ["model", "detect:all", "cons:all"], narrow = matchMedia("screen and (max-width: 34rem)");
  const SEARCHED = ["model", "mitigation", "attack", "revision", "submitter", "judge", "licence", "date"];
  const filters = all("[data-filter]"), find = one("#find");
  const FILTERED = filters.map((select) => select.dataset.filter);

  // ---------------------------------------------------------------- the tables

  class Board {
    constructor(group) {
      this.group = group;
      this.id = group.id;
      this.table = one(".board", group);
      this.head = this.table.tHead.rows[0];
      this.body = one("tbody.rows", group);
      this.rows = [...this.body.rows];
      this.pinned = [...one("tbody.pinned", group).rows];
      this.columns = [...this.head.cells].map((head, place) => ({ place, key: head.dataset.key, kind: kindOf(head), head, name: nameOf(head), first: head.dataset.first }));
      this.place = Object.fromEntries(this.columns.map((column) => [column.key, column.place]));
      this.number = Number(this.table.dataset.default);
      this.radios = all(".anchors input", group);
      this.dots = all("svg.scatter .points", group).map((points) => [...points.children]);
      this.order = this.rows;
      this.found = new Set(this.rows);
      this.kept = new Set();
      this.whole = new Map(); // all cells of a row, of which the document has only those in view
      this.fitted = new Map(); // for which choice of columns a row was last made
      this.cache = new Map();
      this.box = one(".board-box", group);
      this.more = one(".more", group);
      this.addButtons();
    }

    cellsOf(row) {
      if (!this.whole.has(row)) this.whole.set(row, [...row.cells]);
      return this.whole.get(row);
    }

    cell(row, key) { return this.cellsOf(row)[this.place[key]]; }
    get anchor() { return this.radios.findIndex((input) => input.checked); }
    rank(cell) { return (cell.children[this.anchor] ?? cell).textContent; }

    memo(name, row, make) {
      if (!this.cache.has(name)) this.cache.set(name, new Map());
      const known = this.cache.get(name);
      if (!known.has(row)) known.set(row, make(row));
      return known.get(row);
    }

    text(row, key) { return this.memo(`text ${key}`, row, () => words(this.cell(row, key))); }

    choose(anchor) {
      const radio = this.radios.find((input) => input.value === anchor) ?? this.radios[0];
      radio.checked = true;
      this.radios.forEach((input, place) => this.group.classList.toggle(`show-${place}`, input === radio));
      this.dim();
    }

    addButtons() {
      for (const { head, key } of this.columns) {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        button.title = head.title;
        button.addEventListener("click", () => press(this.columns[this.place[key]]));
        head.append(button);
      }
    }

    // Leaves in a row the cells of the chosen columns, and gives it its box.
    fit(row) {
      if (this.fitted.get(row) === this.chosen) return row;
      const cells = this.cellsOf(row);
      if (!this.fitted.has(row) && row.parentElement !== this.head.parentElement && !this.pinned.includes(row)) {
        const box = document.createElement("input");
        box.type = "checkbox";
        box.setAttribute("aria-label", "compare");
        this.cell(row, "model").prepend(box);
        one("a", this.cell(row, "model")).dataset.how = this.text(row, "mitigation").replace(/-(?=\d)/g, "\u2011").replace(/[,:+]/g, "$&\u200b");
      }
      row.replaceChildren(...this.chosen.map((column) => cells[column.place]));
      this.fitted.set(row, this.chosen);
      return row;
    }

    showColumns(keys) {
      this.chosen = this.columns.filter((column, place) => (keys ? keys.includes(column.key) || column.key === "model" : place < this.number));
      if (narrow.matches) this.chosen = this.forPhones(!keys);
      for (const row of [this.head, ...this.pinned]) this.fit(row);
    }

    // The figures beside the model's name, which has the mitigation below it.
    forPhones(isDefault) {
      const first = FIRST_ON_PHONES.flatMap((key) => this.chosen.filter((column) => column.key === key));
      return [...first, ...this.chosen.filter((column) => !first.includes(column) && !(isDefault && column.key === "mitigation"))];
    }

    keyOf(cell, column) {
      if (column.kind === "text") { const text = words(cell); return text === "–" ? null : text.toLowerCase(); }
      if (column.kind === "rank") { const [best, worst] = this.rank(cell).match(/\d+/g) ?? []; return best ? best * 1e4 + Number(worst ?? best) : null; }
      return numbers(cell)[0] ?? null;
    }

    // Rows without a value come last in either order.
    sort(key, isDown) {
      const column = this.columns[this.place[key]];
      for (const { head } of this.columns) head.removeAttribute("aria-sort");
      if (!column) { this.order = this.rows; return; }
      column.head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const way = isDown ? -1 : 1;
      const keyed = this.rows.map((row) => [this.sortKey(row, column), row]);
      keyed.sort(([x], [y]) => (x === y ? 0 : x === null ? 1 : y === null ? -1 : x < y ? -way : way));
      this.order = keyed.map(([, row]) => row);
    }

    sortKey(row, column) {
      return this.memo(`key ${column.key} ${column.kind === "rank" ? this.anchor : ""}`, row, () => this.keyOf(this.cell(row, column.key), column));
    }

    // What a press or a search asks of a row, so that the first one finds it known.
    prepare(row) {
      this.haystack(row);
      this.baselineKey(row);
      for (const key of FILTERED) this.text(row, key);
      for (const column of this.columns.slice(0, this.number)) this.sortKey(row, column);
    }

    haystack(row) {
      return this.memo("haystack", row, () => SEARCHED.map((key) => this.cell(row, key)?.textContent ?? "").join("\n").toLowerCase());
    }

    filter(state) {
      const asked = FILTERED.filter((key) => state[key]);
      const terms = state.q.toLowerCase().split(/\s+/).filter(Boolean);
      const isFound = (row) => asked.every((key) => this.text(row, key) === state[key]) && terms.every((term) => this.haystack(row).includes(term));
      this.found = new Set(asked.length || terms.length ? this.rows.filter(isFound) : this.rows);
      // A baseline stays in view with whatever is read against it.
      const wanted = this.found.size < this.rows.length ? new Set([...this.found].map((row) => this.baselineKey(row))) : new Set();
      this.kept = new Set(wanted.size ? this.rows.filter((row) => !this.found.has(row) && row.classList.contains("b") && wanted.has(this.baselineKey(row))) : []);
      this.dim();
    }

    baselineKey(row) { return `${this.text(row, "model")}\n${this.text(row, "revision")}`; }

    dim() {
      const dots = this.dots[this.anchor];
      this.rows.forEach((row, place) => dots?.[place]?.classList.toggle("off", !this.found.has(row) && !this.kept.has(row)));
    }

    // Only what is in view is in the document: a thousand rows would be laid out anew at every press.
    show() {
      this.shown = this.order.filter((row) => this.found.has(row) || this.kept.has(row));
      this.body.replaceChildren();
      this.extend(this.rows.length <= FEW ? FEW : AT_FIRST);
      this.box.scrollTop = 0;
      this.table.classList.remove("early");
      const n = this.found.size, all = this.rows.length, kept = this.kept.size;
      one(".count", this.group).textContent = `${n === all ? n : `${n} of ${all}`} row${all === 1 ? "" : "s"}${kept ? `, and ${kept} baseline${kept === 1 ? "" : "s"}` : ""}`;
    }

    extend(count) {
      const there = this.body.rows.length, next = this.shown.slice(there, there + count);
      for (const row of next) this.fit(row).classList.toggle("kept", this.kept.has(row));
      this.body.append(...next);
      this.more.hidden = this.body.rows.length === this.shown.length;
      one("button", this.more).textContent = `show all ${this.shown.length} rows`;
    }

    export(format) {
      const { characters, section } = this.group.dataset, isForPapers = format === "tex"; // its caption says judge and suite
      const columns = this.columns.filter((column) => this.chosen.includes(column) || (IDENTITY.includes(column.key) && !(isForPapers && column.key !== "mitigation")));
      const cells = [...this.pinned, ...this.shown].map((row) => columns.map((column) => this.cellsOf(row)[column.place]));
      const name = [...new Set(["copycat", characters, section])].join("-").replace(/[^\w.-]+/g, "-");
      save(format, name, write(format, this.table.caption.textContent, columns, cells, (cell) => this.rank(cell), [["characters", characters], ["section", section]]));
    }
  }

  function kindOf(head) { return ["rank", "text", "number", "figure"].find((kind) => head.classList.contains(kind)); }
  function nameOf(head) { return `${head.dataset.key.startsWith("detect:") && head.textContent !== "DETECT" ? "DETECT " : ""}${head.textContent.trim()}`; }

  const boards = all(".group").map((group) => new Board(group));

  // ---------------------------------------------------------------- the state, and the address that holds it

  const EMPTY = { q: "", sort: "", down: false, cols: null, anchor: "", ...Object.fromEntries(filters.map((select) => [select.dataset.filter, ""])) };
  let state = { ...EMPTY };

  function readAddress() {
    const asked = new URLSearchParams(location.search);
    const found = { ...EMPTY };
    for (const key of ["q", "sort", "anchor", ...FILTERED]) found[key] = asked.get(key) ?? "";
    if (found.sort.startsWith("-")) { found.sort = found.sort.slice(1); found.down = true; }
    if (asked.has("cols")) found.cols = asked.get("cols").split(" ").filter(Boolean);
    return found;
  }

  function writeAddress(isTyping) {
    const asked = new URLSearchParams();
    for (const key of ["q", "anchor", ...FILTERED]) if (state[key]) asked.set(key, state[key]);
    if (state.sort) asked.set("sort", (state.down ? "-" : "") + state.sort);
    if (state.cols) asked.set("cols", state.cols.join(" "));
    const address = `${location.pathname}${asked.size ? `?${asked}` : ""}${location.hash}`;
    if (address === location.pathname + location.search + location.hash) return;
    history[isTyping ? "replaceState" : "pushState"](null, "", address);
  }

  // What is shown follows the state; only what has changed is done again.
  let done = {};
  const isNew = (name, value) => { const text = JSON.stringify(value), changed = done[name] !== text; done[name] = text; return changed; };

  function apply() {
    const asked = [state.q, ...filters.map((select) => state[select.dataset.filter])];
    const isFilterNew = isNew("filter", asked), isAnchorNew = isNew("anchor", state.anchor), isSortNew = isNew("sort", [state.sort, state.down]);
    if (isFilterNew) {
      if (find.value !== state.q) find.value = state.q;
      for (const select of filters) { select.value = state[select.dataset.filter]; select.classList.toggle("active", select.value !== ""); }
      one("#clear").hidden = asked.every((text) => !text);
    }
    if (isNew("cols", state.cols)) {
      for (const input of all(".choices input")) input.checked = (state.cols ?? defaults()).includes(input.value);
      for (const board of boards) board.showColumns(state.cols);
    }
    for (const board of boards) {
      if (isAnchorNew) board.choose(state.anchor || "all");
      if (isSortNew || (isAnchorNew && state.sort === "rank")) board.sort(state.sort, state.down);
      if (isFilterNew) board.filter(state);
      board.show();
    }
  }

  function change(part, isTyping = false) {
    state = { ...state, ...part };
    writeAddress(isTyping);
    apply();
  }

  function press(column) {
    const isFirst = state.sort !== column.key, first = column.first === "descending";
    if (!isFirst && state.down !== first) change({ sort: "", down: false }); // the third press gives the first order back
    else change({ sort: column.key, down: isFirst ? first : !state.down });
  }

  // ---------------------------------------------------------------- tools

  const defaults = () => [...new Set(boards.flatMap((board) => board.columns.slice(0, board.number).map((column) => column.key)))];

  function fillTools() {
    for (const select of filters) {
      const key = select.dataset.filter;
      const values = [...new Set(boards.flatMap((board) => board.rows.map((row) => board.text(row, key))))].filter((value) => value !== "–").sort((a, b) => a.localeCompare(b));
      select.append(...values.map((value) => new Option(value, value)));
      select.parentElement.hidden = values.length < 2;
    }
    const columns = new Map(boards.flatMap((board) => board.columns.map((column) => [column.key, column.name])));
    columns.delete("model");
    for (const [key, name] of columns) {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.value = key;
      label.append(box, name);
      one(".choices").append(label);
    }
    one(".tools").hidden = boards.length === 0;
  }

  let isTyping = false;
  find.addEventListener("input", () => { change({ q: find.value }, isTyping); isTyping = true; });
  find.addEventListener("blur", () => { isTyping = false; });
  for (const select of filters) select.addEventListener("input", () => change({ [select.dataset.filter]: select.value }));
  one("#clear").addEventListener("click", () => { change({ q: "", ...Object.fromEntries(filters.map((select) => [select.dataset.filter, ""])) }); find.focus(); });
  one(".choices").addEventListener("input", () => change({ cols: all(".choices input:checked").map((input) => input.value) }));
  one(".chooser").addEventListener("toggle", () => {
    const menu = one(".choices"), tools = one(".tools");
    menu.style.left = `${Math.max(0, Math.min(one(".chooser").offsetLeft, tools.clientWidth - menu.offsetWidth))}px`;
  });
  narrow.addEventListener("change", () => { for (const board of boards) { board.showColumns(state.cols); board.show(); } });
  addEventListener("popstate", () => { state = readAddress(); apply(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") one(".chooser").open = false; });
  addEventListener("click", (event) => { if (!event.target.closest(".chooser")) one(".chooser").open = false; });
  for (const board of boards) {
    for (const input of board.radios) input.addEventListener("input", () => change({ anchor: input.value === "all" ? "" : input.value }));
    for (const button of all("[data-export]", board.group)) button.addEventListener("click", () => board.export(button.dataset.export));
    one("button", board.more).addEventListener("click", () => board.extend(Infinity));
    board.box.addEventListener("scroll", () => { if (board.box.scrollTop + 2 * board.box.clientHeight > board.box.scrollHeight) board.extend(AT_FIRST); }, { passive: true });
    board.body.addEventListener("input", (event) => choose(board, event.target));
  }

  // ---------------------------------------------------------------- two rows to compare

  let chosen = [];
  const bar = one(".compare-bar");

  function choose(board, box) {
    const row = box.closest("tr");
    const others = chosen.filter((item) => item.row !== row);
    if (box.checked) chosen = [...others.filter((item) => item.board === board).slice(-1), { board, row }];
    else chosen = others;
    showChosen();
  }

  function showChosen() {
    for (const board of boards) for (const row of board.fitted.keys()) { const box = one("input", row); if (box) box.checked = chosen.some((item) => item.row === row); }
    bar.hidden = chosen.length === 0;
    const names = chosen.map(({ board, row }) => `${board.text(row, "model")}, ${board.text(row, "mitigation")}`);
    one("span", bar).textContent = chosen.length === 1 ? `${names[0]}: choose another row of the same table to compare it with` : names.join(" beside ");
    const link = one("a", bar);
    link.hidden = chosen.length < 2;
    if (chosen.length === 2) link.href = `compare.html?${new URLSearchParams(chosen.map(({ board, row }, place) => ["ab"[place], idOf(board, row)]))}`;
  }

  const idOf = (board, row) => decodeURI(one("a", board.cell(row, "model")).getAttribute("href")).replace(/^runs\//, "").replace(/\/index\.html$/, "");
  one("button", bar).addEventListener("click", () => { chosen = []; showChosen(); });

  // ---------------------------------------------------------------- pointing at a dot

  function nearest(drawing, event) {
    const screen = drawing.getScreenCTM(), at = new DOMPoint(event.clientX, event.clientY).matrixTransform(screen.inverse());
    let best = null, least = (14 / screen.a) ** 2;
    for (const [place, dot] of [...one(".points", drawing).children].entries()) {
      const mark = dot.matches("circle") ? dot : one("circle", dot);
      if (!mark || dot.classList.contains("off")) continue;
      const distance = (mark.cx.baseVal.value - at.x) ** 2 + (mark.cy.baseVal.value - at.y) ** 2;
      if (distance < least) [best, least] = [place, distance];
    }
    return best;
  }

  for (const board of boards) {
    const chart = one(".chart", board.group), tip = one(".tip", board.group);
    for (const drawing of all("svg.scatter", chart)) {
      const cross = document.createElementNS("http://www.w3.org/2000/svg", "g");
      drawing.append(cross);
      cross.setAttribute("class", "points");
      const away = () => { tip.hidden = true; cross.replaceChildren(); };
      drawing.addEventListener("pointerleave", away);
      drawing.addEventListener("pointermove", (event) => {
        const place = nearest(drawing, event), row = board.rows[place ?? -1];
        if (!row) { away(); return; }
        const anchor = board.radios[board.anchor].value;
        const figures = ["detect", "cons"].map((metric) => numbers(board.cell(row, `${metric}:${anchor}`)));
        tip.textContent = `${board.text(row, "model")}, ${board.text(row, "mitigation")}: DETECT ${figures[0][0]} [${figures[0].slice(1, 3).join(", ")}], CONS ${figures[1][0]} [${figures[1].slice(1, 3).join(", ")}]`;
        tip.hidden = false;
        const box = chart.getBoundingClientRect();
        tip.style.top = `${event.clientY - box.top + 16}px`;
        tip.style.left = `${Math.max(0, Math.min(event.clientX - box.left + 12, box.width - tip.offsetWidth))}px`;
        cross.replaceChildren(...crossOf(drawing, figures));
      });
      drawing.addEventListener("click", (event) => {
        const place = nearest(drawing, event), link = board.rows[place ?? -1] && one("a", board.cell(board.rows[place], "model"));
        if (link && !event.target.closest("a")) location.href = link.href;
      });
    }
  }

  function crossOf(drawing, [detect, cons]) {
    const scale = (name, from, to) => { const [low, high] = drawing.dataset[name].split(" ").map(Number); return (per) => from + (Math.min(Math.max(per / 100, low), high) - low) / (high - low) * (to - from); };
    const x = scale("x", 46, 706), y = scale("y", 392, 26);
    return [["d cross", `M${x(detect[1])} ${y(cons[0])}H${x(detect[2])}`], ["c cross", `M${x(detect[0])} ${y(cons[1])}V${y(cons[2])}`]].map(([name, d]) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", name);
      path.setAttribute("d", d);
      return path;
    });
  }

  // Between what else there is to do, a few rows at a time.
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 50));
  const unprepared = boards.flatMap((board) => board.rows.map((row) => [board, row])).reverse();
  function prepare(deadline) {
    const until = performance.now() + deadline.timeRemaining() - 2;
    do { const [board, row] = unprepared.pop() ?? []; board?.prepare(row); } while (unprepared.length && performance.now() < until);
    if (unprepared.length) whenIdle(prepare);
  }

  fillTools();
  state = readAddress();
  apply();
  whenIdle(prepare);
})();

// What a table shows, as a file: rows in their order, columns that are chosen, figures in numbers of their own.
const copycatExports = (() => {
  "use strict";

  // Of a cell with figures: value, low and high, without what is said of corrections.
  const numbers = (cell) => {
    const text = [...cell.childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.textContent).join(" ");
    return (text.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  };
  const words = (cell) => (cell.querySelector("a") ?? cell).textContent.trim();

  // Names and values of one column: a figure becomes three.
  function parts(column, cell, rank) {
    if (column.kind === "figure") {
      const [value = null, low = null, high = null] = cell ? numbers(cell) : [];
      return [[column.name, value], [`${column.name} low`, low], [`${column.name} high`, high]];
    }
    if (column.kind === "rank") { // as two numbers: a program for spreadsheets would take 1-3 for a day
      const [best = null, worst = best] = cell ? (rank(cell).match(/\d+/g) ?? []).map(Number) : [];
      return [[`${column.name} best`, best], [`${column.name} worst`, worst]];
    }
    const text = cell ? words(cell) : null;
    const isNumber = column.kind === "number" && text !== null && /^\d+(\.\d+)?(e[-+]?\d+)?$/.test(text);
    return [[column.name, text === "–" ? null : isNumber ? Number(text) : text]];
  }

  // A program for spreadsheets would take text that begins so for a formula.
  function csvCell(value) {
    if (value === null) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  const TEX = { "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", '"': "\\textquotedbl{}" };
  const tex = (text) => String(text).replace(/[\\{}&%$#_~^<>|"]/g, (letter) => TEX[letter]).replaceAll("–", "--");

  function texTable(title, columns, rows, rank) {
    const cell = (column, td) => {
      if (column.kind !== "figure") return tex(column.kind === "rank" ? rank(td) : words(td));
      const [value, low, high] = numbers(td);
      return value === undefined ? "--" : low === undefined ? `${value.toFixed(1)}` : `${value.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;
    };
    const body = rows.map((cells) => `${columns.map((column, i) => cell(column, cells[i])).join(" & ")} \\\\`);
    return ["% needs \\usepackage{booktabs}", "\\begin{table}", `\\caption{${tex(title)}. Shares in \\%, with 95\\,\\% intervals over characters.}`,
      `\\begin{tabular}{${columns.map((column) => (column.kind === "text" ? "l" : "r")).join("")}}`, "\\toprule",
      `${columns.map((column) => tex(column.name)).join(" & ")} \\\\`, "\\midrule", ...body, "\\bottomrule", "\\end{tabular}", "\\end{table}", ""].join("\n");
  }

  // rows: for each row the cells of the columns; rank gives the shown text of a cell with ranks; same: what all rows share.
  function write(format, title, columns, rows, rank, same) {
    if (format === "tex") return texTable(title, columns, rows, rank);
    const lines = rows.map((cells) => [...columns.flatMap((column, i) => parts(column, cells[i], rank)), ...same]);
    if (format === "json") return `${JSON.stringify({ title, rows: lines.map((line) => Object.fromEntries(line)) }, null, 2)}\n`;
    const heads = [...columns.flatMap((column) => parts(column, null, rank)), ...same].map(([name]) => name);
    return [heads, ...lines.map((line) => line.map(([, value]) => value))].map((line) => line.map(csvCell).join(",")).join("\n") + "\n";
  }

  const TYPES = { csv: "text/csv", json: "application/json", tex: "application/x-tex" };
  function save(format, name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${TYPES[format]};charset=utf-8` }));
    link.download = `${name}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  return { write, save, numbers, words };
})();

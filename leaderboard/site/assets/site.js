// On every page, before anything is painted: the reader's own choice of dark or light.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // A browser may refuse storage to pages from disk; then the choice lasts as long as the page.
  const remembered = {
    get() { try { return localStorage.getItem("theme"); } catch { return null; } },
    set(theme) { try { localStorage.setItem("theme", theme); } catch { /* not kept */ } },
  };
  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const chosen = remembered.get();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const tell = () => { button.textContent = isDark() ? "light" : "dark"; button.setAttribute("aria-label", `Use the ${button.textContent} theme`); };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remembered.set(root.dataset.theme);
      tell();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    button.hidden = false;
    tell();
  });
})();

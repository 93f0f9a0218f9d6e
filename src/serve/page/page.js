// Keys for lists: j and k move, Enter opens; letters press the buttons that name them.
(() => {
  const rows = () => [...document.querySelectorAll("a.row")];
  const step = by => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else document.activeElement.closest("li")?.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
  });
})();

// An extra: nothing here is needed. "/" goes to the search, "j" and "k" through rows and turns, "[" and "]" through pages, "?" to the help.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const stops = [...document.querySelectorAll("main tbody tr, main .turn")];
  const step = (by) => {
    const at = stops.findIndex((stop) => stop.contains(document.activeElement));
    const next = stops[Math.min(stops.length - 1, Math.max(0, at + by))];
    (next?.querySelector("a, summary") ?? next)?.focus();
  };
  if (event.key === "/") document.getElementById("q")?.focus();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "?") location.href = "/help";
  else if (event.key === "[") history.back();
  else if (event.key === "]") document.querySelector('a[rel="next"]')?.click();
  else return;
  event.preventDefault();
});

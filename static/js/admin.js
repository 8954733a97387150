/* A log that somebody has scrolled up to read stays there while the page follows the run. */

const places = new Map();

document.addEventListener("htmx:beforeSwap", () => {
  for (const log of document.querySelectorAll(".op-log[id]")) places.set(log.id, log.scrollTop);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const log of document.querySelectorAll(".op-log[id]")) log.scrollTop = places.get(log.id) ?? 0;
});

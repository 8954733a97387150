// Many entries at once: ticking, and the keys of a list. Without this, the same form works by its fields alone.
// Keys count only while a row has the focus and never in a field, so they take nothing from anybody.

const ROWS = "[data-rows] .entry";
const SAME_PLACE = [".tick", ".entry-title a", ".entry-remove button"];
const FIELDS = "select, textarea, input:not([type=checkbox])";

const ticks = () => [...document.querySelectorAll(".tick")];

function showTicked() {
  const all = ticks();
  const ticked = all.filter((tick) => tick.checked).length;
  const every = document.querySelector("[data-tick-all]");
  if (every) {
    every.checked = ticked > 0 && ticked === all.length;
    every.indeterminate = ticked > 0 && ticked < all.length;
  }
  const number = document.querySelector("[data-ticked]");
  if (number) {
    number.textContent = ticked ? `${number.dataset.ticked}: ${ticked}` : "";
  }
}

function ticked() {
  showTicked();
  const bulk = document.getElementById("bulk");
  if (bulk && ticks().some((tick) => tick.checked)) {
    bulk.querySelector("details").open = true;
    bulk.elements.scope.value = "ticked";
  }
}

function move(row, step) {
  const rows = [...document.querySelectorAll(ROWS)];
  const next = rows[rows.indexOf(row) + step];
  const place = SAME_PLACE.find((selector) => document.activeElement.matches(selector)) ?? ".entry-title a";
  next?.querySelector(place)?.focus();
}

function rate(row, digit) {
  const select = row.querySelector("select[name=rating]");
  if (select) {
    select.value = digit === "0" ? "10" : digit;
    select.form.requestSubmit();
  }
}

function tick(row) {
  const box = row.querySelector(".tick");
  if (box) {
    box.checked = !box.checked;
    ticked();
  }
}

function onKey(event) {
  const row = event.target.closest?.(ROWS);
  const busy = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented;
  if (!row || busy || event.target.matches(FIELDS)) {
    return;
  }
  if (event.key === "ArrowDown" || event.key === "j") {
    move(row, 1);
  } else if (event.key === "ArrowUp" || event.key === "k") {
    move(row, -1);
  } else if (event.key === "x") {
    tick(row);
  } else if (/^[0-9]$/.test(event.key)) {
    rate(row, event.key);
  } else {
    return;
  }
  event.preventDefault();
}

function onChange(event) {
  if (event.target.matches("[data-tick-all]")) {
    for (const box of ticks()) {
      box.checked = event.target.checked;
    }
    ticked();
  } else if (event.target.matches(".tick")) {
    ticked();
  }
}

function startLibrary() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", onChange);
  // A row that is rated comes back from the server: it stays ticked.
  let back = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target;
    back = row?.matches?.(ROWS) && row.querySelector(".tick")?.checked ? row.id : back;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const box = document.getElementById(back)?.querySelector(".tick");
    if (box) {
      box.checked = true;
    }
    back = "";
    showTicked();
  });
  showTicked();
}

startLibrary();

// When a list is replaced while the focus is in it, the focus stays at the same place of the list.

const ITEMS = "[data-card], .entry";

function startFocus() {
  let place = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const focused = document.activeElement;
    const target = event.detail.target;
    if (!target?.contains(focused)) {
      return;
    }
    const item = focused.closest(ITEMS);
    const list = item?.parentElement;
    place = {
      list: target.contains(list) ? null : list,
      targetId: target.id,
      index: item ? [...list.querySelectorAll(ITEMS)].indexOf(item) : -1,
    };
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!place || document.activeElement !== document.body) {
      place = null;
      return;
    }
    const box = place.list ?? document.getElementById(place.targetId);
    const items = box ? [...box.querySelectorAll(ITEMS)] : [];
    const item = items[Math.min(place.index, items.length - 1)] ?? box;
    item?.querySelector("h3 a, .entry-title a, a, button, input:checked, input")?.focus({ preventScroll: true });
    place = null;
  });
}

startFocus();

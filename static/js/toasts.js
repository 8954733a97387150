// Toasts stay as long as somebody looks at them, and a while otherwise. Failures without an answer get one here.
// A request that a newer one takes the place of (hx-sync) has not failed, though htmx reports it like one.

const STAY_MS = 12000;

function startToasts() {
  const box = document.getElementById("toasts");
  let timer = 0;
  const leaveLater = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!box.matches(":hover") && !box.contains(document.activeElement)) {
        box.replaceChildren();
      } else {
        leaveLater();
      }
    }, STAY_MS);
  };
  new MutationObserver(leaveLater).observe(box, { childList: true });

  box.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) {
      box.replaceChildren();
    }
  });

  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast error";
    toast.append(Object.assign(document.createElement("p"), { textContent: text }));
    box.replaceChildren(toast);
  };
  document.addEventListener("htmx:sendError", () => say(box.dataset.offline));
  document.addEventListener("htmx:responseError", (event) => {
    if (![400, 404].includes(event.detail.xhr.status)) {
      say(box.dataset.failed);
    }
  });
}

function keepAbortsQuiet() {
  // The document hears of "htmx:abort" before and after the body, where htmx listens and ends the request.
  let aborting = false;
  document.addEventListener("htmx:abort", () => (aborting = true), true);
  document.addEventListener("htmx:abort", () => (aborting = false));
  // htmx shows its logger what happens before it writes errors to the console.
  htmx.logger = (_element, _name, detail) => {
    if (aborting) {
      delete detail.error;
    }
  };
}

startToasts();
keepAbortsQuiet();

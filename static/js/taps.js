// One tap is enough: a form with data-tap sends itself when a radio button is chosen with a pointer.
// Arrow keys only move the choice, so that nobody rates by passing by; Enter, a digit or the button sends it.

function startTaps() {
  let pointer = false;
  document.addEventListener("pointerdown", () => (pointer = true), true);
  document.addEventListener("keydown", (event) => {
    pointer = false;
    chooseByDigit(event);
  }, true);

  document.addEventListener("click", (event) => {
    const radio = event.target.closest?.("[data-tap] input[type=radio]");
    if (radio && pointer) {
      radio.form.requestSubmit();
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-tap]");
    if (form && !pointer) {
      form.dataset.dirty = "";
    }
  });

  // What the server refused is not what stands on the list. A form that shows no state of it keeps what was typed.
  document.addEventListener("htmx:responseError", (event) => event.target.closest?.("form:not([data-keep])")?.reset());
  document.addEventListener("htmx:sendError", (event) => event.target.closest?.("form:not([data-keep])")?.reset());
}

function chooseByDigit(event) {
  const pips = event.target.closest?.(".pips");
  if (!pips || !/^[0-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const value = event.key === "0" ? "10" : event.key;
  const radio = pips.querySelector(`input[value="${value}"]`);
  event.preventDefault();
  radio.checked = true;
  radio.focus();
  radio.form.requestSubmit();
}

startTaps();

// The theme changes without a reload; the cookie is the one that the server sets for people without scripts.
// The form is sent as well, in the background: a member's account remembers the choice for other devices.

const YEAR_SECONDS = 365 * 24 * 3600;

function startTheme() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]") || !event.submitter) {
      return;
    }
    event.preventDefault();
    const theme = event.submitter.value;
    const root = document.documentElement;
    if (theme === "auto") {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = theme;
    }
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${theme}; path=/; max-age=${YEAR_SECONDS}; samesite=lax${secure}`;
    for (const button of document.querySelectorAll("[data-theme-form] [aria-pressed]")) {
      button.setAttribute("aria-pressed", String(button.value === theme));
    }
    const body = new FormData(form, event.submitter);
    fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => {});
    const shown = form.querySelectorAll(".tool");
    if (shown.length) {
      [...shown].find((button) => button !== event.submitter)?.focus();
    }
  });
}

startTheme();

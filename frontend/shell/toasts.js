// Toasts: what was done, for 10 s, with a way back. Errors never come here, they stay in the page.
const LASTS = 10_000;

function leaveLater(toast) {
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), LASTS));
  const stop = () => clearTimeout(timer);
  for (const [event, act] of [["pointerenter", stop], ["focusin", stop], ["pointerleave", start], ["focusout", start]]) {
    toast.addEventListener(event, act);
  }
  start();
}

/** Shows {text, href, link, undo_url}: `link` is the word of `href`; `undo_url` is posted by Undo. */
export function toast({ text, href, link, undo_url: undoUrl }) {
  const tray = document.getElementById("toasts");
  const made = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  made.querySelector("span").textContent = text;
  const anchor = made.querySelector("a");
  if (href) Object.assign(anchor, { href, textContent: link, hidden: false });
  if (undoUrl) offerUndo(made, undoUrl);
  tray.append(made);
  leaveLater(made);
}

function offerUndo(made, url) {
  const undo = made.querySelector(".undo");
  undo.hidden = false;
  undo.addEventListener("click", () => {
    made.remove();
    window.htmx.ajax("POST", url, { target: "body", swap: "none" });
  });
}

export function watchToasts() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest("[data-toast]").remove();
  });
  // htmx fires the names in an HX-Trigger header as events: {"toast": {"text": "..."}}
  document.addEventListener("toast", (event) => toast(event.detail));
  for (const shown of document.querySelectorAll("[data-toast]")) leaveLater(shown);
}

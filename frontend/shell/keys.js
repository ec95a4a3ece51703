// Single keys: / search, j k rows, Enter open, v viewer, ? list. Off in fields, and can be switched off.
const OFF = "keys-off";

function isTyping(target) {
  return target.closest("input, select, textarea, [contenteditable]") !== null;
}

function rows() {
  return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("at"));
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1);
  all[at]?.classList.remove("at");
  all[next].classList.add("at");
  all[next].querySelector("[data-open]")?.focus({ preventScroll: true });
  all[next].scrollIntoView({ block: "nearest" });
}

function search() {
  const field = [...document.querySelectorAll("#q, main input[type=search]")].find(
    (input) => input.offsetParent !== null,
  );
  field?.focus();
  field?.select();
}

const KEYS = {
  "/": search,
  j: () => move(1),
  k: () => move(-1),
  v: () => document.querySelector(".at [data-view], main > * [data-view-page]")?.click(),
  "?": () => document.getElementById("keys")?.showModal(),
};

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (localStorage.getItem(OFF) || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
}

export function watchKeys() {
  document.addEventListener("keydown", onKey);
  const keysOn = document.getElementById("keys-on");
  if (!keysOn) return;
  keysOn.checked = !localStorage.getItem(OFF);
  keysOn.addEventListener("change", () =>
    keysOn.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"),
  );
}

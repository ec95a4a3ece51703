// What every page runs: htmx for partial updates, menus, dialogs, toasts, keys. Pages work without it.
import htmx from "htmx.org";
import { watchBell } from "./bell.js";
import { watchBusyForms } from "./busy.js";
import { watchDialogs } from "./dialogs.js";
import { watchFocus } from "./focus.js";
import { watchIdle } from "./idle.js";
import { watchKeys } from "./keys.js";
import { watchLinks } from "./links.js";
import { watchMenus } from "./menus.js";
import { watchPasskeys } from "./passkeys.js";
import { watchPicks } from "./picks.js";
import { watchToasts } from "./toasts.js";

// htmx would add a style element and evaluate strings, which the Content-Security-Policy refuses;
// base.html says the same in a meta element, for the moment before this line.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
// Settling would copy style attributes, which the same policy refuses.
htmx.config.attributesToSettle = ["class", "width", "height"];
// Pages hold patient data: htmx keeps none of them in the browser's storage.
htmx.config.historyCacheSize = 0;
window.htmx = htmx;

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token) event.detail.headers["X-CSRFToken"] = token;
});

watchMenus();
watchBell();
watchDialogs();
watchToasts();
watchFocus();
watchBusyForms();
watchKeys();
watchLinks();
watchPicks();
watchPasskeys();
watchIdle();

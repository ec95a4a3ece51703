// After a swap the focus goes to what changed: the element that asks for it, or the new page's heading.
function focusOn(element) {
  if (!element) return;
  if (!element.matches("a[href], button, input, select, textarea, [tabindex]")) element.tabIndex = -1;
  element.focus();
}

export function watchFocus() {
  focusOn(document.querySelector("[data-focus]"));
  if (location.hash === "#find") document.querySelector("main input[type=search]")?.focus();
  document.addEventListener("htmx:afterSettle", (event) => {
    const swapped = event.detail.elt;
    const asked = swapped.matches?.("[data-focus]") ? swapped : swapped.querySelector?.("[data-focus]");
    if (asked) focusOn(asked);
    else if (swapped.id === "main" || swapped === document.body) focusOn(document.querySelector("main h1"));
  });
}

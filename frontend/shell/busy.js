// A pressed button keeps its width, spins and says the verb: <button data-busy="Sharing">Share</button>.
// A form that was sent once is not sent again by a second press.
function setBusy(button) {
  button.style.minWidth = `${button.offsetWidth}px`;
  button.dataset.words = button.innerHTML;
  const spin = document.createElement("span");
  spin.className = "spin";
  button.replaceChildren(spin, button.dataset.busy);
  button.setAttribute("aria-busy", "true");
}

function setReady(button) {
  button.innerHTML = button.dataset.words;
  button.style.minWidth = "";
  button.removeAttribute("aria-busy");
}

export function watchBusyForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.querySelector('[aria-busy="true"]')) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    const button = event.submitter?.dataset.busy ? event.submitter : form.querySelector("[data-busy]");
    // Later, so that the button's own name and value are sent with the form.
    if (button) setTimeout(() => event.defaultPrevented && !isByHtmx(form) ? null : setBusy(button));
  }, { capture: true });
  const ready = () => document.querySelectorAll('[aria-busy="true"][data-words]').forEach(setReady);
  document.addEventListener("htmx:afterRequest", ready);
  window.addEventListener("pageshow", ready); // Back shows the page as it was left
}

function isByHtmx(form) {
  return form.matches("[hx-post], [hx-put], [hx-delete], [hx-get]");
}

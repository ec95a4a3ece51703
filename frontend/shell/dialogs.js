// Native <dialog>: it traps the focus, closes on Esc and gives the focus back.
//   data-opens="id"   opens the dialog of that id
//   data-closes       closes the dialog around it
//   <dialog data-now> opens as soon as it is in the page (htmx swaps one in), and leaves when closed

function open(dialog) {
  if (dialog && !dialog.open) dialog.showModal();
}

function openArrived(root) {
  const found = root.matches?.("dialog[data-now]") ? [root] : root.querySelectorAll("dialog[data-now]");
  for (const dialog of found) {
    open(dialog);
    dialog.addEventListener("close", () => dialog.remove(), { once: true });
  }
}

export function watchDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) open(document.getElementById(opener.dataset.opens));
    if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("htmx:afterSettle", (event) => openArrived(event.detail.elt));
  openArrived(document);
}

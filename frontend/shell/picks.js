// The list of studies: the button says how many are chosen, and waits until one is.
//   <form data-picks-studies> with checkboxes "study" and a button [data-share] around [data-words],
//   and perhaps others that ask for a choice: [data-picked]
import { said } from "./said.js";

function count(form) {
  const button = form.querySelector("[data-share]");
  if (!button) return;
  const chosen = form.querySelectorAll('input[name="study"]:checked').length;
  button.disabled = chosen === 0;
  for (const other of form.querySelectorAll("[data-picked]")) other.disabled = chosen === 0;
  const key = ["nothing-picked", "one-picked"][chosen] ?? "some-picked";
  button.querySelector("[data-words]").textContent = said(key, { count: chosen });
}

function countAll() {
  document.querySelectorAll("form[data-picks-studies]").forEach(count);
}

export function watchPicks() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-picks-studies]");
    if (form) count(form);
  });
  document.addEventListener("htmx:afterSettle", countAll);
  window.addEventListener("pageshow", countAll); // Back keeps what was chosen
  countAll();
}

// Links that carry a secret: taken out of the address on the landing page, copied on the sharer's.
//   <div data-takes-fragment> around an input; <button data-copies="id of an input" hidden>
import { said } from "./said.js";

function takeFragment(box) {
  const secret = location.hash.slice(1);
  if (!secret) return;
  box.querySelector("input").value = secret;
  box.hidden = true;
  // Whoever looks at the screen or the history later finds no secret there.
  history.replaceState(null, "", location.pathname);
  document.getElementById("id_code")?.focus();
}

async function copy(button) {
  const input = document.getElementById(button.dataset.copies);
  const words = button.querySelector("span");
  try {
    await navigator.clipboard.writeText(input.value);
    words.textContent = said("copied");
  } catch {
    input.select(); // refused by the browser: a key press copies what is chosen
    words.textContent = said("copy-by-key");
  }
}

export function watchLinks() {
  document.querySelectorAll("[data-takes-fragment]").forEach(takeFragment);
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  // A second link opened in the same tab changes the fragment and nothing else.
  window.addEventListener("hashchange", () => document.querySelectorAll("[data-takes-fragment]").forEach(takeFragment));
}

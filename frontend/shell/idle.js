// A page that nobody touches signs out by itself: the organization says after how long. Two minutes
// before, it asks. Whoever moves, types or touches is there, and the portal is told once a minute.
const TOLD_EVERY = 60_000;
const WARNED = 120_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

export function watchIdle() {
  const limit = Number(document.querySelector('meta[name="idle-seconds"]')?.content) * 1000;
  const dialog = document.getElementById("idle");
  if (!limit || !dialog) return;
  const warning = Math.min(WARNED, limit / 2);
  let last = Date.now();
  let told = Date.now();

  function here() {
    if (dialog.open) return;
    last = Date.now();
    if (last - told < TOLD_EVERY) return;
    tell();
  }

  function tell() {
    told = Date.now();
    const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
    fetch("/still-here/", { method: "POST", headers: { "X-CSRFToken": token } })
      .then((answer) => { if (answer.status === 401 || answer.redirected) location.reload(); })
      .catch(() => { told = 0; });
  }

  for (const sign of SIGNS) document.addEventListener(sign, here, { passive: true });
  dialog.addEventListener("cancel", stay);
  dialog.querySelector("[data-idle-stay]").addEventListener("click", stay);

  function stay() {
    if (dialog.open) dialog.close();
    last = Date.now();
    tell();
  }

  setInterval(() => {
    const left = last + limit - Date.now();
    if (left <= 0) dialog.querySelector("[data-idle-out]").requestSubmit();
    else if (left <= warning && !dialog.open) dialog.showModal();
  }, 1000);
}

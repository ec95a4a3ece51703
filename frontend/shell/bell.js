// The bell says what is new without a reload: it asks twice a minute while the page is looked at, and
// at once when somebody comes back to it. Where nothing changed the answer is empty and nothing moves.
import htmx from "htmx.org";

const EVERY = 30_000;

export function watchBell() {
  const ring = () => {
    const bell = document.getElementById("bell");
    if (bell && !document.hidden) htmx.trigger(bell, "ring");
  };
  setInterval(ring, EVERY);
  document.addEventListener("visibilitychange", ring);
}

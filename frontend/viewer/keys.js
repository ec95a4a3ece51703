// Keys of the viewer. Single letters are off in fields and can be switched off (WCAG 2.1.4).
import { singleKeys } from "./data.js";

const FAR = 10;

const MOVES = {
  ArrowUp: (verbs) => verbs.scroll(-1),
  ArrowLeft: (verbs) => verbs.scroll(-1),
  ArrowDown: (verbs) => verbs.scroll(1),
  ArrowRight: (verbs) => verbs.scroll(1),
  PageUp: (verbs) => verbs.scroll(-FAR),
  PageDown: (verbs) => verbs.scroll(FAR),
  Home: (verbs) => verbs.scroll(-Infinity),
  End: (verbs) => verbs.scroll(Infinity),
};

const LETTERS = {
  s: (verbs) => verbs.tool("scroll"),
  w: (verbs) => verbs.tool("window"),
  z: (verbs) => verbs.tool("zoom"),
  p: (verbs) => verbs.tool("pan"),
  i: (verbs) => verbs.invert(),
  r: (verbs) => verbs.reset(),
  c: (verbs) => verbs.cine(),
  "+": (verbs) => verbs.zoomBy(1.25),
  "-": (verbs) => verbs.zoomBy(0.8),
  "[": (verbs) => verbs.otherSeries(-1),
  "]": (verbs) => verbs.otherSeries(1),
  "?": (verbs) => verbs.help(),
};

const isField = (element) => element.matches?.("input, textarea, select, [contenteditable]");

/** Runs the verbs that keys stand for; `verbs.isOver()` silences them all. */
export function listenToKeys(verbs) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || verbs.isOver()) return;
    if (isField(event.target) || event.target.closest?.("dialog")) return;
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
    const letter = singleKeys.on() && (LETTERS[event.key] ?? (digit >= 0 && ((v) => v.preset(digit))));
    const act = MOVES[event.key] ?? letter;
    if (!act) return;
    event.preventDefault();
    act(verbs);
  });
}

// Keys of the viewer. Single letters are off in fields and can be switched off (WCAG 2.1.4).
import { singleKeys } from "./data.js";

const FAR = 10;

/** Keys that stay when single letters are off. */
const MOVES = {
  ArrowUp: ["scroll", -1],
  ArrowLeft: ["scroll", -1],
  ArrowDown: ["scroll", 1],
  ArrowRight: ["scroll", 1],
  PageUp: ["scroll", -FAR],
  PageDown: ["scroll", FAR],
  Home: ["scroll", -Infinity],
  End: ["scroll", Infinity],
};

const LETTERS = {
  s: ["tool", "scroll"],
  w: ["tool", "window"],
  z: ["tool", "zoom"],
  p: ["tool", "pan"],
  i: ["invert"],
  r: ["reset"],
  c: ["cine"],
  "+": ["zoomBy", 1.25],
  "-": ["zoomBy", 0.8],
  "[": ["otherSeries", -1],
  "]": ["otherSeries", 1],
  "?": ["help"],
};

const isField = (element) => element.matches?.("input, textarea, select, [contenteditable]");

/** Runs the commands that keys stand for. */
export function listenToKeys(commands) {
  commands.bind(LETTERS);
  for (let digit = 1; digit <= 9; digit += 1) commands.bind({ [digit]: ["preset", digit - 1] });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isField(event.target) || event.target.closest?.("dialog")) return;
    const call = MOVES[event.key] ?? (singleKeys.on() && commands.ofKey(event.key));
    if (!call) return;
    event.preventDefault();
    commands.run(...call);
  });
}

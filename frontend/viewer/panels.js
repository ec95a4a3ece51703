// What is written around the panes: rail, buttons, progress line, and the page without a study.
// Only text and attributes; styles live in static/css/viewer.css.
import { numberName, write } from "./overlays.js";
import { figure, loadWords, speedWords } from "./rules.js";
import { tr } from "./words.js";

const byId = (id) => document.getElementById(id);
const root = byId("viewer");
const OF_ONE_IMAGE = ["sop", "frame", "index", "count", "window", "zoom", "loaded"];

const BACK_FOR_MS = 4000;

/** Lets tests and assistive scripts read the state of the viewer from its root element. */
export function setState(facts) {
  for (const [name, value] of Object.entries(facts)) root.dataset[name] = String(value);
}

function forget(names) {
  for (const name of names) delete root.dataset[name];
}

/** The state of the image on screen, of the pane that keys speak to. */
export function stateOf({ series, frames, at, window, zoom, inverted }) {
  setState({
    series: series.uid,
    sop: frames[at].sop,
    frame: frames[at].frame,
    index: at + 1,
    count: frames.length,
    window: window ? `${figure(window.center)}/${figure(window.width)}`.replaceAll("−", "-") : "",
    zoom: zoom.toFixed(2),
    inverted,
  });
}

/** Another series was chosen: nothing of the one before stays. */
export function announce(series) {
  for (const id of ["status-before", "status-count", "status-after"]) write(byId(id), "");
  forget(OF_ONE_IMAGE);
  setState({ state: "loading", series: series.uid });
}

/** Load bars and the progress line: how many images of the series are here. */
export function showProgress(series, load) {
  const { here, count } = load;
  const button = document.querySelector(`[data-do="series"][data-arg="${series.uid}"]`);
  if (!button) return; // of an earlier study: it has no place in the rail
  const all = count === 1 ? tr("1 image") : tr("{count} images", { count });
  const images = here < count ? tr("{here} of {count} images", { here, count }) : all;
  Object.assign(button.querySelector("progress"), { max: count, value: here });
  write(button.querySelector(".count"), images);
  const name = { series: numberName(series) };
  const line = byId("progress");
  line.max = count;
  line.value = here;
  line.hidden = here >= count;
  write(byId("status-before"), here < count ? tr("Loading {series}: ", name) : tr("All of {series} loaded: ", name));
  write(byId("status-count"), images);
  const words = loadWords(load);
  write(byId("status-after"), words && ` · ${words}`);
  write(byId("speed"), here < count && load.perSecond ? speedWords(load.perSecond) : "");
  setState({ loaded: here });
}

/** A sentence in the footer, for a moment. */
export function say(words) {
  const place = byId("said");
  write(place, words);
  setTimeout(() => write(place, ""), BACK_FOR_MS);
}

const away = () => tr("No connection. Trying again.");
let wasAway = false;
/** Says that the line is away, and for a moment that it is back. */
export function showLine(up) {
  const place = byId("line");
  if (!up) write(place, away());
  else if (wasAway) {
    write(place, tr("The connection is back. Loading goes on."));
    setTimeout(() => write(place, wasAway ? away() : ""), BACK_FOR_MS);
  }
  wasAway = !up;
}

/** The small pictures of the rail: they come after the image, which matters more. */
export function showThumbnails() {
  for (const picture of document.querySelectorAll("img[data-src]")) {
    picture.src = picture.dataset.src;
    picture.removeAttribute("data-src");
  }
}

/** Marks the series on screen in the rail and brings it into view. */
export function markSeries(uid) {
  for (const button of document.querySelectorAll('[data-do="series"]')) {
    const isCurrent = button.dataset.arg === uid;
    if (isCurrent) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (isCurrent) button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

const TOOL_BUTTONS = '[data-do="tool"], [data-do="measureBy"], [data-do="magnify"]';

/** Presses the chosen tool's buttons, wherever they are shown. */
export function markTool(tool) {
  for (const button of document.querySelectorAll(TOOL_BUTTONS)) {
    button.setAttribute("aria-pressed", String((button.dataset.arg ?? button.dataset.do) === tool));
  }
  // A tool whose button is not in the bar, as on a phone, is said by the button that leads to it.
  const inBar = [...document.querySelectorAll('.tools [aria-pressed="true"]')];
  const seen = inBar.some((each) => each.offsetParent && each.matches(TOOL_BUTTONS));
  document.querySelector('.tools [data-do="more"]')?.toggleAttribute("data-holds", !seen);
  setState({ tool });
}

/** Presses the buttons of a switch, such as invert or cine. */
export function markSwitch(name, on) {
  for (const button of document.querySelectorAll(`[data-do="${name}"]`)) {
    button.setAttribute("aria-pressed", String(on));
  }
}

/** Draws the window buttons of a series into every place that shows them. */
export function showPresets(presets, chosen) {
  for (const place of document.querySelectorAll("[data-presets]")) {
    const buttons = presets.map((preset, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "vbtn small";
      button.dataset.do = "preset";
      button.dataset.arg = String(at);
      button.textContent = preset.name;
      return button;
    });
    place.replaceChildren(...buttons);
  }
  markPreset(chosen);
}

/** Presses the window button in use, if any is. */
export function markPreset(chosen) {
  for (const button of document.querySelectorAll('[data-do="preset"]')) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.arg) === chosen));
  }
}

/** The bar of the film: whether it plays and how fast. */
export function showCine(playing, rate) {
  markSwitch("cine", playing);
  setState({ playing });
  const bar = byId("cine-bar");
  if (!bar) return;
  bar.hidden = !playing;
  byId("cine-rate").value = String(rate);
  write(byId("cine-words"), tr("{rate} images a second", { rate }));
}

/** Empties the page: no picture, no name, one sentence and a way back. */
export function blank(words) {
  for (const picture of document.querySelectorAll("img")) {
    picture.removeAttribute("src");
    picture.remove();
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  for (const part of document.querySelectorAll("[data-study]")) part.remove();
  document.title = byId("ended").dataset.title;
  write(byId("ended-words"), words);
  byId("status").replaceChildren();
  byId("ended").hidden = false;
  forget(["series", ...OF_ONE_IMAGE]);
  setState({ state: "blanked" });
  byId("ended-words").focus();
}

// Everything that is written around the picture: overlays, marks, rail, slider, progress line.
// Only text and attributes; styles live in static/css/viewer.css.
import { edgeMarks, figure } from "./rules.js";

const byId = (id) => document.getElementById(id);
const root = byId("viewer");
const OF_ONE_SERIES = [
  ...["ov-image", "ov-window", "ov-zoom", "ov-slice"],
  ...["status-before", "status-count", "status-after"],
];
const TRACK = { loaded: "#4b7d84", missing: "#26363a" };

/** How a series is called on screen: "Series 2 · Axial lung 1.0 mm". */
export function seriesName(series) {
  return [`Series ${series.number ?? "without number"}`, series.description]
    .filter(Boolean)
    .join(" · ");
}

function write(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Lets tests and assistive scripts read the state of the viewer from its root element. */
export function setState(facts) {
  for (const [name, value] of Object.entries(facts)) root.dataset[name] = String(value);
}

function writeMarks(instance, camera) {
  const marks = edgeMarks(instance, camera) ?? { top: "", right: "", bottom: "", left: "" };
  for (const [edge, letters] of Object.entries(marks)) write(`mark-${edge}`, letters);
}

/** Overlays, marks, slider and the spoken summary for the image on screen. */
export function showImage({ series, frames, at, window, zoom, slice, inverted, camera }) {
  const instance = frames[at].instance;
  const place = `Image ${at + 1} of ${frames.length}`;
  const level = window ? `W ${figure(window.width)}  L ${figure(window.center)}` : "";
  write("ov-series", seriesName(series));
  write("ov-image", place);
  write("ov-window", inverted ? `${level}  inverted` : level);
  write("ov-zoom", `Zoom ${zoom.toFixed(1)}`);
  write("ov-slice", slice === null ? "" : `Slice ${slice.toFixed(1).replace("-", "−")} mm`);
  writeMarks(instance, camera);
  const slider = byId("slider");
  slider.max = String(frames.length);
  slider.value = String(at + 1);
  slider.setAttribute("aria-valuetext", place);
  slider.hidden = frames.length < 2;
  byId("track").toggleAttribute("hidden", frames.length < 2);
  byId("viewport").setAttribute("aria-label", [seriesName(series), place, level].join(", "));
  setState({
    series: series.uid,
    sop: frames[at].sop,
    index: at + 1,
    count: frames.length,
    window: window ? `${figure(window.center)}/${figure(window.width)}`.replaceAll("−", "-") : "",
    zoom: zoom.toFixed(2),
    inverted,
  });
}

/** Before the first image of a series is there: its name, and nothing of the one before. */
export function announce(series) {
  write("ov-series", seriesName(series));
  for (const id of OF_ONE_SERIES) write(id, "");
  for (const edge of ["top", "right", "bottom", "left"]) write(`mark-${edge}`, "");
  byId("slider").hidden = true;
  byId("track").toggleAttribute("hidden", true);
  byId("viewport").setAttribute("aria-label", `${seriesName(series)}, loading`);
  for (const key of ["sop", "index", "count", "window", "zoom", "loaded"]) delete root.dataset[key];
  setState({ state: "loading", series: series.uid });
}

/** The line beside the slider: light where images are loaded. */
export function showTrack(loaded) {
  const canvas = byId("track");
  const height = Math.max(1, canvas.clientHeight);
  canvas.width = 4;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = TRACK.missing;
  pen.fillRect(0, 0, 4, height);
  pen.fillStyle = TRACK.loaded;
  loaded.forEach((there, at) => {
    const from = Math.floor((at * height) / loaded.length);
    if (there) pen.fillRect(0, from, 4, Math.ceil(height / loaded.length) + 1);
  });
}

/** Load bars and the progress line: how many images of the series are here. */
export function showProgress(series, here, count) {
  const button = document.querySelector(`[data-do="series"][data-arg="${series.uid}"]`);
  const bar = button.querySelector("progress");
  bar.max = count;
  bar.value = here;
  const images = count === 1 ? "1 image" : `${count} images`;
  write(button.querySelector(".count").id, here < count ? `${here} of ${images}` : images);
  const name = `series ${series.number ?? ""}`.trim();
  const line = byId("progress");
  line.max = count;
  line.value = here;
  line.hidden = here >= count;
  write("status-before", here < count ? `Loading ${name}: ` : `All of ${name} loaded: `);
  write("status-count", here < count ? `${here} of ${images}` : images);
  write("status-after", here < count ? ", nearest first" : "");
  setState({ loaded: here });
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

/** Presses the chosen tool's buttons, wherever they are shown. */
export function markTool(tool) {
  for (const button of document.querySelectorAll('[data-do="tool"]')) {
    button.setAttribute("aria-pressed", String(button.dataset.arg === tool));
  }
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

/** A sentence in the place of the picture; empty takes it away. */
export function notice(text) {
  write("notice", text);
  byId("notice").hidden = text === "";
  if (text) byId("viewport").setAttribute("aria-label", text);
}

/** The server's picture of the middle image, shown until the live one is there. */
export function firstPaint(url, text = "") {
  const picture = byId("first");
  picture.alt = text;
  if (url && picture.getAttribute("src") !== url) picture.src = url;
  picture.hidden = !url;
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
  write("ended-words", words);
  byId("status").replaceChildren();
  byId("ended").hidden = false;
  for (const key of ["series", "sop", "index", "count", "window", "zoom", "loaded"]) delete root.dataset[key];
  setState({ state: "blanked" });
  byId("ended-words").focus();
}

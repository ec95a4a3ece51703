// Everything that is written on one pane: its overlays, edge marks, slider, notice and first picture.
// Only text and attributes; styles live in static/css/viewer.css.
import { edgeMarks, figure } from "./rules.js";
import { tr } from "./words.js";

const EDGES = ["top", "right", "bottom", "left"];
const OF_ONE_IMAGE = ["image", "window", "zoom", "slice", "quality"];
const TRACK = { loaded: "#4b7d84", missing: "#26363a" };

/** "Series 2". */
export function numberName({ number }) {
  return number === null ? tr("Series without number") : tr("Series {number}", { number });
}

/** How a series is called on screen: "Series 2 · Axial lung 1.0 mm". */
export function seriesName(series) {
  return [numberName(series), series.description]
    .filter(Boolean)
    .join(" · ");
}

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {HTMLElement} pane the element of class `vp` (templates/viewer/pane.html) */
export function createOverlays(pane) {
  const part = (name) => pane.querySelector(`[data-part="${name}"]`);
  const [picture, first, slider, track] = ["picture", "first", "slider", "track"].map(part);

  function writeMarks(instance, camera) {
    const marks = (instance && edgeMarks(instance, camera)) ?? {};
    for (const edge of EDGES) write(part(`edge-${edge}`), marks[edge] ?? "");
  }

  /** One word on a picture that is not the whole truth: smaller than the file, or lossy. */
  function badge(word) {
    write(part("badge"), word);
    write(part("quality"), word || tr("Full quality"));
    part("badge").hidden = word === "";
  }

  /** Text in the place of the picture: reports and what else holds none. */
  function paper(sheets) {
    part("paper").replaceChildren(...sheets);
    part("paper").hidden = !sheets.length;
  }

  /** SVG elements over the picture, in its CSS pixels. */
  function drawn(elements) {
    part("drawn").replaceChildren(...elements);
  }

  function key(isKey) {
    part("key").hidden = !isKey;
  }

  function showSlider(at, count, place) {
    slider.max = String(count);
    slider.value = String(at + 1);
    slider.setAttribute("aria-valuetext", place);
    slider.hidden = count < 2;
    track.toggleAttribute("hidden", count < 2);
  }

  return {
    slider,
    stage: part("stage"),
    /** Overlays, marks, slider and the spoken summary for the image on screen. */
    showImage({ series, frames, at, window, zoom, slice, inverted, camera }) {
      const place = tr("Image {at} of {count}", { at: at + 1, count: frames.length });
      const level = window ? `W ${figure(window.width)}  L ${figure(window.center)}` : "";
      write(part("series"), seriesName(series));
      write(part("image"), place);
      write(part("window"), inverted ? `${level}  ${tr("inverted")}` : level);
      write(part("zoom"), tr("Zoom {zoom}", { zoom: zoom.toFixed(1) }));
      const millimetres = slice === null ? "" : slice.toFixed(1).replace("-", "−");
      write(part("slice"), millimetres && tr("Slice {place} mm", { place: millimetres }));
      writeMarks(frames[at].instance, camera);
      showSlider(at, frames.length, place);
      picture.setAttribute("aria-label", [seriesName(series), place, level].join(", "));
    },
    /** Before the first image of a series is there: its name, and nothing of the one before. */
    announce(series) {
      write(part("series"), seriesName(series));
      for (const name of OF_ONE_IMAGE) write(part(name), "");
      paper([]);
      key(false);
      drawn([]);
      writeMarks(null);
      slider.hidden = true;
      track.toggleAttribute("hidden", true);
      picture.setAttribute("aria-label", tr("{series}, loading", { series: seriesName(series) }));
      pane.dataset.state = "loading";
    },
    /** The line beside the slider: light where images are loaded. */
    showTrack(loaded) {
      const height = Math.max(1, track.clientHeight);
      track.width = 4;
      track.height = height;
      const pen = track.getContext("2d");
      pen.fillStyle = TRACK.missing;
      pen.fillRect(0, 0, 4, height);
      pen.fillStyle = TRACK.loaded;
      loaded.forEach((there, at) => {
        const from = Math.floor((at * height) / loaded.length);
        if (there) pen.fillRect(0, from, 4, Math.ceil(height / loaded.length) + 1);
      });
    },
    /** A sentence in the place of the picture; empty takes it away. */
    notice(text) {
      write(part("notice"), text);
      part("notice").hidden = text === "";
      if (text) picture.setAttribute("aria-label", text);
    },
    /** The server's picture of a series' middle image: what the page brought, or one asked for. */
    firstPaint(series) {
      first.alt = seriesName(series);
      const isThere = first.dataset.series === series.uid;
      if (series.middle && !isThere) first.src = series.middle.url;
      first.dataset.series = series.uid;
      first.hidden = !series.middle;
      badge(series.middle ? tr("Preview") : "");
    },
    /** The live image is there: the server's picture steps aside. */
    endFirstPaint() {
      first.hidden = true;
      first.removeAttribute("src");
      delete first.dataset.series;
      badge("");
    },
    ...{ badge, paper, key, drawn },
    /** `live` lets the stage be seen: never the picture of one series under the name of another. */
    settle(count) {
      pane.dataset.state = count ? "live" : "empty";
    },
  };
}

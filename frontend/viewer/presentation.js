// Presentation states applied: window, turning, mirroring, inversion and graphics as their author saw
// the image. Drawn over the pane in SVG; reset takes all of it away.
import { presentationFor } from "./report.js";

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  return made;
}

/** Points of the image for what is written in parts of the displayed area (PS3.3 C.10.5). */
export function inPixels({ units, points }, area) {
  if (units !== "DISPLAY") return points;
  const [left, top, right, bottom] = area;
  return points.map(([u, v]) => [left - 1 + u * (right - left + 1), top - 1 + v * (bottom - top + 1)]);
}

const join = (points) => points.map((each) => each.join(",")).join(" ");
const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

/** An ellipse by the ends of its major and its minor axis. */
function ellipse([a, b, c, d]) {
  const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const turned = (Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI;
  const radii = { rx: distance(a, b) / 2, ry: distance(c, d) / 2 };
  return shape("ellipse", { cx: x, cy: y, ...radii, transform: `rotate(${turned} ${x} ${y})` });
}

const DRAWN = {
  POINT: ([[cx, cy]]) => shape("circle", { cx, cy, r: 3 }),
  POLYLINE: (points) => shape("polyline", { points: join(points) }),
  INTERPOLATED: (points) => shape("polyline", { points: join(points) }),
  CIRCLE: ([[cx, cy], edge]) => shape("circle", { cx, cy, r: distance([cx, cy], edge) }),
  ELLIPSE: ellipse,
  TEXT: ([[x, y]], { text }) => shape("text", { x, y }, text),
};

function elementsOf(viewer, reader, asked) {
  const size = reader.frames[reader.pane.at()].instance;
  const whole = [1, 1, size["00280011"].Value[0], size["00280010"].Value[0]];
  const area = asked.area.length === 4 ? asked.area : whole;
  return asked.graphics
    .filter((each) => DRAWN[each.kind] && each.points[0]?.length === 2)
    .map((each) => {
      const points = inPixels(each, area).map((point) => reader.pane.onScreen(point));
      return DRAWN[each.kind](points, each);
    });
}

function applyOnce(reader, asked) {
  const { pane } = reader;
  if (asked.window) pane.setWindow(asked.window.center, asked.window.width);
  if (asked.inverted !== pane.isInverted()) pane.invert();
  pane.present({ turned: asked.turned, mirrored: asked.mirrored });
}

/** Draws what the chosen state says of the image on screen; an image that it leaves out is bare. */
export function start(viewer) {
  let chosen = null;
  let applied = "";

  function clear(reader) {
    chosen = null;
    applied = "";
    reader.overlays.drawn([]);
  }

  function draw(reader) {
    if (!chosen || reader !== chosen.reader) return;
    if (reader.series.uid !== chosen.series) return clear(reader);
    const { frames, at } = reader.seen();
    const asked = presentationFor(chosen.instance, frames[at]);
    if (applied !== frames[at].imageId) {
      applied = frames[at].imageId;
      applyOnce(reader, asked);
    }
    reader.overlays.drawn(elementsOf(viewer, reader, asked));
  }

  viewer.events.on("image", draw);
  viewer.events.on("reset", clear);
  viewer.commands.add({
    /** Opens an image as a presentation state shows it. */
    async presented(arg) {
      const { instance, image } = viewer.presentations.get(arg);
      const reader = viewer.reader();
      chosen = { instance, reader, series: image.series };
      applied = "";
      await viewer.openImage(image);
      if (reader.isLive) draw(reader);
    },
  });
}

// What a measurement says: lengths, angles, areas, statistics. Pure; tested with `node --test`.
import { calibrationOf, shapeOf } from "./calibration.js";
import { numbers, values } from "./rules.js";
import { tr } from "./words.js";

/** @typedef {[number, number]} Point column and row, from the outer corner of the first pixel */

/** Kinds by name, with what a person calls them. */
export const KINDS = {
  length: () => tr("Length"),
  bidirectional: () => tr("Two axes"),
  angle: () => tr("Angle"),
  cobb: () => tr("Cobb angle"),
  ellipse: () => tr("Ellipse"),
  rectangle: () => tr("Rectangle"),
  arrow: () => tr("Note"),
  probe: () => tr("Probe"),
};
const NEEDS_SIZE = new Set(["length", "bidirectional"]);
export const REGIONS = new Set(["ellipse", "rectangle"]);

const step = (from, to, scale) => [(to[0] - from[0]) * scale.x, (to[1] - from[1]) * scale.y];

/** The distance of two points in mm. */
export function lengthOf(from, to, scale) {
  return Math.hypot(...step(from, to, scale));
}

function between(one, other) {
  const turned = one[0] * other[1] - one[1] * other[0];
  const along = one[0] * other[0] + one[1] * other[1];
  return (Math.atan2(Math.abs(turned), along) * 180) / Math.PI;
}

/** The angle at the middle one of three points, 0 to 180 degrees. */
export function angleOf([one, corner, other], scale) {
  return between(step(corner, one, scale), step(corner, other, scale));
}

/** The angle of two lines, whichever way they were drawn: 0 to 90 degrees. */
export function cobbOf([a, b, c, d], scale) {
  const angle = between(step(a, b, scale), step(c, d, scale));
  return Math.min(angle, 180 - angle);
}

/** The box around points: left, top, right, bottom. */
export function boxOf(points) {
  const across = points.map((each) => each[0]);
  const down = points.map((each) => each[1]);
  return [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
}

/** The area of an ellipse or a rectangle in mm², by the box around its points. */
export function areaOf(kind, points, scale) {
  const [left, top, right, bottom] = boxOf(points);
  const area = (right - left) * scale.x * (bottom - top) * scale.y;
  return kind === "ellipse" ? (area * Math.PI) / 4 : area;
}

/** The places in a picture of `columns` by `rows` whose pixel centres lie inside the shape. */
export function* placesIn(kind, points, { columns, rows }) {
  const [left, top, right, bottom] = boxOf(points);
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  const [halfX, halfY] = [(right - left) / 2, (bottom - top) / 2];
  for (let row = Math.max(0, Math.ceil(top - 0.5)); row < rows && row + 0.5 <= bottom; row += 1) {
    for (let at = Math.max(0, Math.ceil(left - 0.5)); at < columns && at + 0.5 <= right; at += 1) {
      const away = ((at + 0.5 - middleX) / halfX) ** 2 + ((row + 0.5 - middleY) / halfY) ** 2;
      if (kind !== "ellipse" || away <= 1) yield row * columns + at;
    }
  }
}

/** Mean, standard deviation (of the sample), least, most and count; null of nothing. */
export function statisticsOf(list) {
  const count = list.length;
  if (!count) return null;
  const mean = list.reduce((sum, each) => sum + each, 0) / count;
  const spread = list.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const min = list.reduce((least, each) => Math.min(least, each), Infinity);
  const max = list.reduce((most, each) => Math.max(most, each), -Infinity);
  return { mean, sd: count > 1 ? Math.sqrt(spread / (count - 1)) : 0, min, max, count };
}

/**
 * The figures of a measurement, or `{refused: reason}`.
 * @param {{kind: string, points: Point[], instance: object, frame: number,
 *   read?: {at: (place: number) => number, columns: number, rows: number, unit: string}}} what
 *   `read` gives the value at a place, row by row; it is absent where pixels are colours.
 */
export function figuresOf({ kind, points, instance, frame, read }) {
  const scale = calibrationOf(instance, frame, points);
  const shape = shapeOf(instance, frame, points);
  if (NEEDS_SIZE.has(kind) && scale.refused) return { refused: scale.refused };
  if (kind === "length") return { length: lengthOf(...points, scale), note: scale.note };
  if (kind === "bidirectional") return axesOf(points, scale);
  if (kind === "angle") return { angle: angleOf(points, shape) };
  if (kind === "cobb") return { angle: cobbOf(points, shape) };
  if (kind === "probe") return probed(points[0], read);
  return REGIONS.has(kind) ? regionOf(kind, points, scale, read) : {};
}

function axesOf([a, b, c, d], scale) {
  const both = [lengthOf(a, b, scale), lengthOf(c, d, scale)].sort((one, two) => two - one);
  return { long: both[0], short: both[1], note: scale.note };
}

function probed([column, row], read) {
  const at = [Math.floor(column), Math.floor(row)];
  const inside = read && at[0] >= 0 && at[1] >= 0 && at[0] < read.columns && at[1] < read.rows;
  return inside ? { value: read.at(at[1] * read.columns + at[0]), unit: read.unit } : {};
}

function regionOf(kind, points, scale, read) {
  const area = scale.refused ? null : areaOf(kind, points, scale);
  const list = read ? Array.from(placesIn(kind, points, read), (at) => read.at(at)) : [];
  const found = statisticsOf(list);
  return { area, ...found, unit: read?.unit ?? "", note: scale.refused ? "" : scale.note };
}

/** A figure with one decimal, and two below ten in SUV; a true minus sign. */
export function shown(value, unit = "") {
  const places = unit === "SUV" ? 2 : Math.abs(value) >= 1000 ? 0 : 1;
  return `${value.toFixed(places).replace("-", "−")}${unit && ` ${unit}`}`;
}

/** The lines that are written beside a measurement, shortest first. */
export function linesOf(kind, figures, text = "") {
  if (figures.refused) return [figures.refused];
  const note = figures.note ? ` ${figures.note}` : "";
  if (kind === "arrow") return [text];
  if (kind === "length") return [`${shown(figures.length)} mm${note}`];
  if (kind === "angle" || kind === "cobb") return [`${shown(figures.angle)}°`];
  if (kind === "bidirectional") {
    return [`${shown(figures.long)} × ${shown(figures.short)} mm${note}`];
  }
  if (kind === "probe") return [figures.value === undefined ? "" : shown(figures.value, figures.unit)];
  return regionLines(figures, note);
}

function regionLines(figures, note) {
  const lines = figures.area === null ? [] : [`${shown(figures.area)} mm²${note}`];
  if (figures.count) {
    lines.unshift(tr("Mean {mean}, SD {sd}", { mean: shown(figures.mean, figures.unit), sd: shown(figures.sd) }));
    lines.push(tr("{least} to {most}", { least: shown(figures.min), most: shown(figures.max, figures.unit) }));
  }
  return lines;
}

/** The unit of stored values after the rescale: HU, what PET counts, or none. */
export function unitOf(instance) {
  const modality = String(values(instance, "00080060")[0] ?? "");
  if (modality === "CT") return "HU";
  return modality === "PT" ? (UNITS[String(values(instance, "00541001")[0] ?? "")] ?? "") : "";
}
const UNITS = { BQML: "Bq/ml", CNTS: "counts", GML: "g/ml", CPS: "counts/s" };

const seconds = (time) => {
  const text = String(time ?? "").padEnd(6, "0");
  return Number(text.slice(0, 2)) * 3600 + Number(text.slice(2, 4)) * 60 + Number(text.slice(4));
};

/**
 * Multiplies Bq/ml into SUV by body weight (QIBA, vendor-neutral), or null where a tag is missing:
 * units BQML, attenuation and decay corrected to the start, weight, dose, half-life and time.
 */
export function suvFactor(instance) {
  const [dose] = values(instance, "00540016");
  const [weight] = numbers(instance, "00101030");
  const [total] = numbers(dose, "00181074");
  const [half] = numbers(dose, "00181075");
  const corrected = values(instance, "00280051").map(String);
  const isReady =
    values(instance, "00541001")[0] === "BQML" &&
    values(instance, "00541102")[0] === "START" &&
    corrected.includes("ATTN") &&
    corrected.includes("DECY");
  const waited = decayTime(instance, dose);
  if (!isReady || !(weight > 0) || !(total > 0) || !(half > 0) || waited === null) return null;
  return (weight * 1000) / (total * 2 ** (-waited / half));
}

/** Seconds from the injection to the time that the counts are corrected to: the series' start. */
function decayTime(instance, dose) {
  const [full] = values(dose, "00181078");
  const [start] = values(dose, "00181072");
  const [day] = values(instance, "00080021");
  const [time] = values(instance, "00080031");
  const injected = full ? String(full).slice(8, 14) : start;
  const sameDay = !full || String(full).slice(0, 8) === String(day);
  if (!injected || !time || !sameDay) return null;
  const waited = seconds(time) - seconds(injected);
  return waited >= 0 ? waited : null;
}

// How large a pixel is in the patient, and where the file says so. Pure; tested with `node --test`.
// Points are [column, row] from the outer corner of the first pixel, as PS3.3 C.18.6 counts them.
import { numbers, values } from "./rules.js";
import { tr } from "./words.js";

/** @typedef {{x: number, y: number, note: string}} Calibration mm per pixel across and down */

/** Projections: what Imager Pixel Spacing (0018,1164) measures is the detector, not the patient. */
const PROJECTIONS = new Set(["CR", "DX", "MG", "XA", "RF", "PX", "IO"]);
const CENTIMETRES = 3;
const FLAT = 1;

const REFUSED = {
  none: () => tr("This image does not say how large its pixels are. Angles can be measured, lengths can't."),
  film: () => tr("This picture was scanned from film: its pixels say nothing about sizes in the patient."),
  outside: () => tr("Measure inside one calibrated part of the ultrasound image."),
};

/** The functional groups that hold for a frame, the frame's own first (PS3.3 C.7.6.16). */
function groupsOf(instance, frame) {
  const own = values(instance, "52009230")[frame - 1];
  return [own, values(instance, "52009229")[0]].filter(Boolean);
}

function pair(source, tag) {
  const [down, across] = numbers(source, tag);
  return down > 0 && across > 0 ? { x: across, y: down } : null;
}

/** Pixel Spacing (0028,0030), of the frame or of the whole object. */
function spacingOf(instance, frame) {
  for (const group of groupsOf(instance, frame)) {
    const found = pair(values(group, "00289110")[0], "00280030");
    if (found) return found;
  }
  return pair(instance, "00280030");
}

function holds(region, [column, row]) {
  const [left] = numbers(region, "00186018");
  const [top] = numbers(region, "0018601A");
  const [right] = numbers(region, "0018601C");
  const [bottom] = numbers(region, "0018601E");
  // The last pixel is part of the region (PS3.3 C.8.5.5.1.1).
  return column >= left && column <= right + 1 && row >= top && row <= bottom + 1;
}

/** The region's size of a pixel; null where its axes are not both lengths (Doppler, M-mode). */
function regionScale(region) {
  const [format] = numbers(region, "00186012");
  const units = [...numbers(region, "00186024"), ...numbers(region, "00186026")];
  const [x] = numbers(region, "0018602C");
  const [y] = numbers(region, "0018602E");
  if (format !== FLAT || units.some((unit) => unit !== CENTIMETRES) || !x || !y) return null;
  return { x: Math.abs(x) * 10, y: Math.abs(y) * 10, note: "" };
}

function ofUltrasound(regions, points) {
  const flat = regions.filter(regionScale);
  if (!flat.length) return { refused: REFUSED.none() };
  const found = flat.find((region) => points.every((point) => holds(region, point)));
  return found ? regionScale(found) : { refused: REFUSED.outside() };
}

/** By the two spacings of a projection (PS3.3 10.7.1.3): calibrated, corrected, or at the detector. */
function ofProjection(instance, spacing) {
  const detector = pair(instance, "00181164");
  const same = detector && spacing && spacing.x === detector.x && spacing.y === detector.y;
  if (spacing && !same && (detector || values(instance, "00280A02").length)) {
    return { ...spacing, note: tr("calibrated") };
  }
  const plain = detector ?? spacing;
  if (!plain) return { refused: values(instance, "00182010").length ? REFUSED.film() : REFUSED.none() };
  const [factor] = numbers(instance, "00181114");
  if (detector && factor > 1) {
    return { x: plain.x / factor, y: plain.y / factor, note: tr("corrected for magnification") };
  }
  return { ...plain, note: tr("at the detector") };
}

/**
 * The calibration for points of a frame (frames counted from 1), or `{refused: reason}`.
 * Without points: whether anything can be measured here at all.
 */
export function calibrationOf(instance, frame, points = []) {
  const regions = values(instance, "00186011");
  if (regions.length) return ofUltrasound(regions, points);
  const spacing = spacingOf(instance, frame);
  const modality = String(values(instance, "00080060")[0] ?? "");
  if (PROJECTIONS.has(modality) || pair(instance, "00181164")) return ofProjection(instance, spacing);
  if (spacing) return { ...spacing, note: "" };
  return { refused: values(instance, "00182010").length ? REFUSED.film() : REFUSED.none() };
}

/** The shape of a pixel, for angles, which need no size: by spacing, Pixel Aspect Ratio, or square. */
export function shapeOf(instance, frame, points = []) {
  const known = calibrationOf(instance, frame, points);
  if (!known.refused) return { x: known.x, y: known.y };
  return pair(instance, "00280034") ?? { x: 1, y: 1 };
}

// Structured reports, selections of key images and presentation states, read from DICOM JSON.
// Pure functions, tested with `node --test`.
import { numbers, values } from "./rules.js";
import { tr } from "./words.js";

const sequence = (item, tag) => values(item, tag);
const first = (item, tag) => sequence(item, tag)[0];
const text = (item, tag) => String(values(item, tag)[0] ?? "");

/** The meaning of a code sequence (0008,0104), else its value. */
export function meaning(item, tag) {
  const code = first(item, tag);
  return code ? text(code, "00080104") || text(code, "00080100") : "";
}

/** A name as people write it: "Moreau^Pat" gives "Moreau Pat". */
function personName(item, tag) {
  const name = values(item, tag)[0];
  const written = typeof name === "object" && name ? (name.Alphabetic ?? Object.values(name)[0]) : name;
  return String(written ?? "").replaceAll("^", " ").trim();
}

/** A DICOM date, time or both, with separators: 20261128 gives 2026-11-28. */
export function moment(raw) {
  const found = /^(\d{4})(\d{2})(\d{2})?(\d{2})?(\d{2})?/.exec(raw);
  if (!found) return raw;
  const [, year, month, day, hour, minute] = found;
  const date = [year, month, day].filter(Boolean).join("-");
  return hour ? `${date} ${hour}:${minute ?? "00"}` : date;
}

function clock(raw) {
  return raw.replace(/^(\d{2})(\d{2})(\d{2})?.*/, (_, h, m, s) => [h, m, s].filter(Boolean).join(":"));
}

function measured(item) {
  const value = first(item, "0040A300");
  if (!value) return "";
  const units = first(value, "004008EA");
  const unit = units ? text(units, "00080100") : "";
  return [text(value, "0040A30A"), unit === "1" ? "" : unit].filter(Boolean).join(" ");
}

const SAYS = {
  TEXT: (item) => text(item, "0040A160"),
  CODE: (item) => meaning(item, "0040A168"),
  NUM: measured,
  DATE: (item) => moment(text(item, "0040A121")),
  TIME: (item) => clock(text(item, "0040A122")),
  DATETIME: (item) => moment(text(item, "0040A120")),
  PNAME: (item) => personName(item, "0040A123"),
  UIDREF: (item) => text(item, "0040A124"),
};
const SHAPES = {
  SCOORD: () => tr("a region of an image"),
  SCOORD3D: () => tr("a region in space"),
  TCOORD: () => tr("a moment of a recording"),
};

/** What an item refers to: `{sop, frame}`, or null. */
function reference(item) {
  const sop = first(item, "00081199");
  if (!sop) return null;
  return { sop: text(sop, "00081155"), frame: numbers(sop, "00081160")[0] ?? 1 };
}

/**
 * The content of a report in reading order (PS3.3 C.17.3): `kind` is "heading" for a container,
 * "line" for what is said, "image" for what it points to.
 * @returns {{level: number, kind: string, label: string, text: string, image?: object}[]}
 */
export function reportLines(instance) {
  const lines = [];
  function visit(item, level) {
    const type = text(item, "0040A040");
    const label = meaning(item, "0040A043");
    const image = reference(item);
    if (type === "CONTAINER") {
      if (label && level) lines.push({ level, kind: "heading", label, text: "" });
    } else if (SAYS[type]) lines.push({ level, kind: "line", label, text: SAYS[type](item) });
    else if (image) lines.push({ level, kind: "image", label, text: "", image });
    else if (SHAPES[type]) lines.push({ level, kind: "line", label, text: SHAPES[type]() });
    for (const child of sequence(item, "0040A730")) visit(child, level + 1);
  }
  visit(instance, 0);
  return lines;
}

/** The head of a report: what it is, whether it is complete, who verified it and when. */
export function reportHead(instance) {
  const observer = first(instance, "0040A073");
  const isVerified = text(instance, "0040A493") === "VERIFIED";
  return {
    title: meaning(instance, "0040A043") || text(instance, "0008103E") || tr("Report"),
    date: moment(text(instance, "00080023")),
    state: text(instance, "0040A491") === "PARTIAL" ? tr("Not complete") : "",
    verified: isVerified ? tr("Verified") : tr("Not verified"),
    by: observer ? personName(observer, "0040A075") : "",
  };
}

/** Where the objects that an instance refers to lie: SOP Instance UID to Series Instance UID. */
export function evidence(instance) {
  const found = new Map();
  const studies = [...sequence(instance, "0040A375"), ...sequence(instance, "0040A385"), instance];
  for (const study of studies) {
    for (const series of sequence(study, "00081115")) {
      for (const tag of ["00081199", "00081140"]) {
        for (const sop of sequence(series, tag)) found.set(text(sop, "00081155"), text(series, "0020000E"));
      }
    }
  }
  return found;
}

/** The images of a selection of key images, as `{sop, frame}`. */
export function keyImages(instance) {
  return reportLines(instance).filter((line) => line.kind === "image").map((line) => line.image);
}

function window(item) {
  const [center] = numbers(item, "00281050");
  const [width] = numbers(item, "00281051");
  return width >= 1 ? { center, width } : null;
}

/** The items of a sequence that name this image, or all of them where they name none. */
function forImage(items, { sop, frame }) {
  return items.filter((item) => {
    const named = sequence(item, "00081140");
    return (
      !named.length ||
      named.some((each) => {
        const frames = numbers(each, "00081160");
        return text(each, "00081155") === sop && (!frames.length || frames.includes(frame));
      })
    );
  });
}

function pairs(list) {
  return list.flatMap((value, at) => (at % 2 ? [] : [[value, list[at + 1]]]));
}

function graphicsOf(item) {
  const drawn = sequence(item, "00700009").map((each) => ({
    kind: text(each, "00700023"),
    units: text(each, "00700005") || "PIXEL",
    filled: text(each, "00700024") === "Y",
    points: pairs(numbers(each, "00700022")),
  }));
  const written = sequence(item, "00700008").map((each) => {
    const box = numbers(each, "00700010");
    const anchor = numbers(each, "00700014");
    return {
      kind: "TEXT",
      units: text(each, box.length ? "00700003" : "00700004") || "PIXEL",
      text: text(each, "00700006"),
      points: [box.length ? box : anchor],
    };
  });
  return [...drawn, ...written];
}

/**
 * What a presentation state (PS3.3 A.33) asks for one image: window, inverted, turned, mirrored,
 * the region shown, and graphics in pixels of the image (from 1) or parts of the region.
 */
export function presentationFor(instance, image) {
  const voi = forImage(sequence(instance, "00283110"), image)[0];
  const area = forImage(sequence(instance, "0070005A"), image)[0];
  return {
    window: voi ? window(voi) : null,
    inverted: text(instance, "20500020") === "INVERSE",
    turned: numbers(instance, "00700042")[0] ?? 0,
    mirrored: text(instance, "00700041") === "Y",
    area: area ? [...numbers(area, "00700052"), ...numbers(area, "00700053")] : [],
    graphics: forImage(sequence(instance, "00700001"), image).flatMap(graphicsOf),
  };
}

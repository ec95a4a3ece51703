// The viewer's decisions that need no browser: pure functions, tested with `node --test`.
import { tr } from "./words.js";

/** @typedef {{name: string, center: number, width: number}} Preset window in HU (or file units) */

/** CT windows by name; center and width in Hounsfield units. */
const ctPresets = () => [
  { name: tr("Lung"), center: -600, width: 1500 },
  { name: tr("Soft tissue"), center: 40, width: 400 },
  { name: tr("Bone"), center: 500, width: 2000 },
  { name: tr("Brain"), center: 40, width: 80 },
];

/** Modalities whose objects hold no picture that a stack viewport could show. */
const WITHOUT_PICTURE = {
  SEG: () => tr("a segmentation"),
  PR: () => tr("a presentation state"),
  KO: () => tr("a selection of key images"),
  SR: () => tr("a structured report"),
  RTSTRUCT: () => tr("a set of radiotherapy contours"),
  RTPLAN: () => tr("a radiotherapy plan"),
  RTDOSE: () => tr("a radiotherapy dose"),
  ANN: () => tr("a set of annotations"),
  REG: () => tr("a registration"),
  DOC: () => tr("a document"),
  ECG: () => tr("a waveform"),
  AU: () => tr("a sound recording"),
};

/**
 * What a series without pictures is, in words; empty when it can be shown.
 * @param {{modality: string, frames: number}} series
 */
export function whyNotShown(series) {
  const named = WITHOUT_PICTURE[series.modality];
  if (named) return named();
  return series.frames > 0 ? "" : tr("an object without images");
}

/** The values of one attribute of DICOM JSON (PS3.18 F.2), always an array. */
export function values(instance, tag) {
  return instance?.[tag]?.Value ?? [];
}

/** The numbers of one attribute; text such as a decimal string is read as a number. */
export function numbers(instance, tag) {
  return values(instance, tag).map(Number).filter(Number.isFinite);
}

/** Windows that the file itself names (0028,1050/1051/1055); the first is its default. */
export function fileWindows(instance) {
  const centers = numbers(instance, "00281050");
  const widths = numbers(instance, "00281051");
  const names = values(instance, "00281055");
  return centers
    .map((center, at) => ({ name: String(names[at] ?? ""), center, width: widths[at] }))
    .filter((each) => each.width >= 1);
}

/**
 * Window buttons for a series: the file's own first, then what the modality is read with.
 * A preset of null center means "as the file says, or the full range".
 */
export function presetsFor(modality, instance) {
  const own = { name: tr("Default"), center: null, width: null };
  if (modality === "CT") return [...ctPresets(), own];
  const others = fileWindows(instance).slice(1, 4);
  return [own, ...others.map((each, at) => ({ ...each, name: each.name || tr("Window {number}", { number: at + 2 }) }))];
}

const AXES = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
];
const OPPOSITE = { A: "P", P: "A", L: "R", R: "L", H: "F", F: "H" };
const SECOND_LETTER_FROM = 0.35;

/** Letters for a direction in patient space (LPS), strongest first: [0.9, -0.4, 0] gives "LA". */
export function lettersOf(vector) {
  return vector
    .map((part, axis) => ({ size: Math.abs(part), letter: AXES[axis][part > 0 ? 0 : 1] }))
    .sort((a, b) => b.size - a.size)
    .filter((each, at) => each.size > (at === 0 ? 0.1 : SECOND_LETTER_FROM))
    .slice(0, 2)
    .map((each) => each.letter)
    .join("");
}

/** The mark of the other edge: "LA" gives "RP"; letters that are not directions stay. */
export function oppositeOf(letters) {
  return [...letters].map((each) => OPPOSITE[each] ?? each).join("");
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** Whether the file says how its images lie in the patient (0020,0037), for all or per frame. */
function isOriented(instance) {
  const groups = [
    instance,
    instance?.["52009229"]?.Value?.[0]?.["00209116"]?.Value?.[0],
    instance?.["52009230"]?.Value?.[0]?.["00209116"]?.Value?.[0],
  ];
  return groups.some((each) => numbers(each, "00200037").length === 6);
}

/** The letters of a direction in a picture whose rows and columns run as named; turned or mirrored. */
function alongPicture([x, y], row, column) {
  if (Math.abs(x) > Math.abs(y)) return x > 0 ? row : oppositeOf(row);
  return y > 0 ? column : oppositeOf(column);
}

/**
 * Marks for the four edges, or null where the file gives no orientation.
 * With Image Orientation (0020,0037) they follow the camera; projection images use
 * Patient Orientation (0020,0020), which names where rows and columns run to.
 */
export function edgeMarks(instance, camera) {
  if (camera && isOriented(instance)) {
    const right = lettersOf(cross(camera.viewUp, camera.viewPlaneNormal));
    const top = lettersOf([...camera.viewUp]);
    return { top, right, bottom: oppositeOf(top), left: oppositeOf(right) };
  }
  const [row, column] = values(instance, "00200020").map(String);
  if (!row || !column) return null;
  const { viewUp = [0, -1, 0], viewPlaneNormal = [0, 0, -1] } = camera ?? {};
  const right = alongPicture(cross(viewUp, viewPlaneNormal), row, column);
  const top = alongPicture([...viewUp], row, column);
  return { top, right, bottom: oppositeOf(top), left: oppositeOf(right) };
}

/** Images per second of a multi-frame object, from the file (0008,2144; 0018,0040; 0018,1063). */
export function cineRate(instance) {
  const [recommended] = numbers(instance, "00082144");
  const [cine] = numbers(instance, "00180040");
  const [milliseconds] = numbers(instance, "00181063");
  const rate = recommended || cine || (milliseconds ? 1000 / milliseconds : 10);
  return Math.min(60, Math.max(1, Math.round(rate)));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Instances in reading order: Instance Number, then UID, so that the order is always the same. */
export function inReadingOrder(instances) {
  const number = (each) => numbers(each, "00200013")[0] ?? Number.MAX_SAFE_INTEGER;
  const uid = (each) => String(values(each, "00080018")[0]);
  return [...instances].sort((a, b) => number(a) - number(b) || compare(uid(a), uid(b)));
}

/** One entry per frame: `{sop, frame}` with frames counted from 1 (PS3.18 10.4). */
export function framesOf(instances) {
  return inReadingOrder(instances)
    .filter((each) => numbers(each, "00280010")[0] > 0)
    .flatMap((each) => {
      const count = numbers(each, "00280008")[0] || 1;
      const sop = String(values(each, "00080018")[0]);
      return Array.from({ length: count }, (_, at) => ({ sop, frame: at + 1, instance: each }));
    });
}

/**
 * The order to load in: nearest to the current image first, the way the reader scrolls before the
 * way back, no further than `reach` images.
 */
export function nearestFirst(current, count, direction = 1, reach = count) {
  const order = current >= 0 && current < count ? [current] : [];
  for (let away = 1; away <= reach; away += 1) {
    for (const at of [current + away * direction, current - away * direction]) {
      if (at >= 0 && at < count) order.push(at);
    }
  }
  return order;
}

/** A number as overlays write it: a true minus sign, at most two decimals. */
export function figure(value) {
  const rounded = Math.round(value * 100) / 100;
  const shown = Math.abs(rounded) >= 20 ? Math.round(rounded) : rounded;
  return String(shown).replace("-", "−");
}

/** A length of data in words: 900 kB, 12 MB. */
export function dataSize(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${Math.round(bytes / 1e6)} MB`;
}

/** Center and width of a range of display values, by the linear function of PS3.3 C.11.2.1.2. */
export function windowOf({ lower, upper }) {
  return { center: (lower + upper + 1) / 2, width: upper - lower + 1 };
}

/** The range of display values of a window, by PS3.3 C.11.2.1.2. */
export function rangeOf({ center, width }) {
  const lower = center - 0.5 - (width - 1) / 2;
  return { lower, upper: lower + width - 1 };
}

/** High-Throughput JPEG 2000, lossless, in the order of resolution (PS3.5 A.4.11). */
const HTJ2K = "1.2.840.10008.1.2.4.202";
export const AS_STORED = "application/octet-stream; transfer-syntax=*";
/** Implicit and Explicit VR Little Endian, Explicit VR Big Endian: pixels that lie plain. */
const PLAIN = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"];

/** Whether frames that are stored so travel as HTJ2K. */
export const comesAsHtj2k = (stored) => PLAIN.includes(stored);

/**
 * What to accept for a frame, by the syntax that it is stored in: plain pixels come smaller as
 * lossless HTJ2K (PS3.5 A.4.11); what is compressed comes as it is.
 */
export function acceptFor(stored) {
  if (!comesAsHtj2k(stored)) return AS_STORED;
  return `image/jphc; transfer-syntax=${HTJ2K}, ${AS_STORED}; q=0.5`;
}

/** The transfer syntax that a Content-Type names (PS3.18 8.7.3.5.2), else Explicit VR Little Endian. */
export function syntaxOf(contentType) {
  return /transfer-syntax="?([0-9.]+)/.exec(contentType ?? "")?.[1] ?? PLAIN[1];
}

/** The transfer syntax that an instance is stored in, as its metadata say (0008,3002). */
export function storedSyntax(instance) {
  return String(values(instance, "00083002")[0] ?? "");
}

/** What stands on a picture that is not the whole truth; empty for one that is. */
export function badgeWord(instance) {
  return values(instance, "00282110")[0] === "01" ? tr("Lossy") : "";
}

/**
 * What is said while a series loads: "2.1 of about 16 MB, 25 s at your speed". Empty when all is
 * here or nothing was weighed.
 * @param {{here: number, count: number, weighed: number, bytes: number, perSecond: number}} load
 *   images here and in all; of how many the weight is known, their bytes; the speed of the line
 */
export function loadWords({ here, count, weighed, bytes, perSecond }) {
  if (!weighed || here >= count) return "";
  const each = bytes / weighed;
  const sizes = { bytes: dataSize(each * here), all: dataSize(each * count) };
  const size = tr("{bytes} of about {all}", sizes);
  if (!perSecond) return size;
  const time = duration((each * (count - here)) / perSecond);
  return tr("{size}, {time} at your speed", { size, time });
}

/** The speed of a line as people know it: "4.1 Mbit/s". */
export function speedWords(bytesPerSecond) {
  const megabits = (bytesPerSecond * 8) / 1e6;
  return `${megabits < 10 ? megabits.toFixed(1) : Math.round(megabits)} Mbit/s`;
}

/** Seconds in words: "3 s", "about 2 min". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return tr("about {minutes} min", { minutes: Math.round(seconds / 60) });
}

/**
 * What an answer of the pulse means.
 * @returns {"allowed" | "ended" | "signed-out" | "unknown"}
 */
export function pulseMeans({ type, status }) {
  if (type === "opaqueredirect" || status === 401 || status === 403) return "signed-out";
  if (status === 204) return "allowed";
  if (status >= 500 || status === 429 || status === 0) return "unknown";
  return "ended";
}

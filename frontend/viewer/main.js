// The viewer of one study. This small file answers at once: it watches the right to see, and wires
// buttons and keys; the large rendering library follows (engine.js) and takes over the picture that
// the server painted first. What comes later plugs in through features.js.
import { createCine } from "./cine.js";
import { createCommands, listenToButtons } from "./commands.js";
import { singleKeys, takeData } from "./data.js";
import { framesAmong, imageIdOf, instancesOfSeries, WebError } from "./dicomweb.js";
import { createEvents } from "./events.js";
import { startFeatures } from "./features.js";
import { startFence } from "./fence.js";
import { listenToGestures } from "./gestures.js";
import { listenToKeys } from "./keys.js";
import { createLine } from "./line.js";
import { oncePainted } from "./painted.js";
import * as panels from "./panels.js";
import { createReader, startOf } from "./reader.js";
import { comesAsHtj2k, whyNotShown } from "./rules.js";
import { speak, tr } from "./words.js";

const byId = (id) => document.getElementById(id);
const data = takeData();
const events = createEvents();
const leaving = new AbortController();
const cached = new Set();
const weights = new Map();
const known = new Map();
const readers = new Set();
const viewer = { data, events, leaving: leaving.signal, engine: null, reader: () => active };
viewer.presentations = new Map();
Object.assign(viewer, { readers: () => [...readers], setState: panels.setState });
let active = null;
let wanted = null;
let tool = "";

const fence = startFence({
  url: data.pulse,
  onBlank: (words) => {
    leaving.abort();
    cine.stop();
    for (const reader of readers) reader.stop();
    viewer.engine?.close();
    viewer.engine = null;
    known.clear();
    panels.blank(words);
    events.tell("blank", words);
  },
  onLine: (up) => {
    panels.showLine(up);
    if (up) line.isBack();
  },
});
const line = createLine({
  signal: leaving.signal,
  onRefused: fence.report,
  onAway: (away) => panels.showLine(!away),
  onWeighed: (imageId, bytes) => weights.set(imageId, bytes),
});
const commands = createCommands(fence.isOver);

const cine = createCine({
  advance() {
    const next = (active.pane.at() + 1) % active.frames.length;
    const ready = viewer.engine.isCached(active.frames[next].imageId);
    if (ready) active.goTo(next);
    return ready;
  },
  onChange: panels.showCine,
});

/** The metadata of a series; they travel once. */
function instancesFor(series) {
  if (!known.has(series.uid)) {
    const asked = instancesOfSeries({ ...placeOf(series), signal: leaving.signal });
    known.set(series.uid, asked);
    asked.catch(() => known.delete(series.uid));
  }
  return known.get(series.uid);
}

/** Where a series is: of the open study, or of an earlier one that says so itself. */
const placeOf = ({ uid, place }) => ({ root: data.root, study: data.study.uid, ...place, series: uid });

/** Its frames in reading order. */
async function framesFor(series) {
  return framesAmong(await instancesFor(series), placeOf(series));
}

/** Another pane: its element is like templates/viewer/pane.html, its reader comes back. */
function openReader(element) {
  const reader = createReader({
    ...{ element, events, cached, framesFor, isOver: fence.isOver },
    failed: (error) => error instanceof WebError && fence.report(error.status),
  });
  readers.add(reader);
  listenToGestures(reader.overlays.stage, {
    tool: () => tool,
    count: () => reader.frames.length,
    scroll: reader.scroll,
    window(dx, dy) {
      reader.dragWindow(dx, dy);
      if (reader === active) panels.markPreset(-1);
    },
    zoomBy: (factor, point) => zoomBy(reader, factor, point),
    pan: (dx, dy) => reader.isLive && reader.pane.panBy(dx, dy),
  });
  if (viewer.engine) reader.attach(viewer.engine);
  return reader;
}

function closeReader(reader) {
  readers.delete(reader);
  if (reader.pane) viewer.engine.closePane(reader.pane);
  reader.stop();
}

/** Keys and buttons speak to this reader from now on. */
function activate(reader) {
  if (reader === active) return;
  cine.stop();
  active = reader;
  events.tell("active", reader);
}

function zoomBy(reader, factor, point) {
  if (reader.isLive) reader.pane.zoomTo(reader.pane.zoom() * factor, point);
}

function openSeries(uid) {
  const series = data.series.find((each) => each.uid === uid);
  wanted = uid;
  if (!series || !active.pane) return;
  if (series !== active.series) cine.stop();
  active.open(series);
}

/** The image that a report or a selection points to, in its series. */
async function openImage({ series, sop, frame }) {
  const held = data.series.find((each) => each.uid === series);
  if (!held) return panels.say(tr("That image is not part of this study."));
  await active.open(held, { sop, frame });
}

function otherSeries(by) {
  const at = data.series.findIndex((each) => each.uid === active.series?.uid);
  const next = data.series[at + by];
  if (next) openSeries(next.uid);
}

function chooseTool(name) {
  tool = name;
  panels.markTool(name);
  events.tell("tool", name);
}

commands.add({
  scroll: (by) => active.scroll(by),
  preset(at) {
    active.choosePreset(Number(at));
    panels.markPreset(active.preset);
  },
  reset() {
    active.reset();
    events.tell("reset", active);
    panels.markPreset(active.preset);
  },
  otherSeries,
  tool: chooseTool,
  series: openSeries,
  image: (arg) => openImage(JSON.parse(arg)),
  invert: () => active.isLive && active.pane.invert(),
  cine: () => active.isLive && active.frames.length > 1 && cine.toggle(),
  zoomBy: (factor, point) => zoomBy(active, factor, point),
  help: () => byId("help").showModal(),
  access: () => byId("access").showModal(),
  more: () => byId("more").showModal(),
  close: (id) => byId(id).close(),
});

const ofActive = (tell) => (reader) => reader === active && tell(reader);
events.on("cached", (imageId, there) => (there ? cached.add(imageId) : cached.delete(imageId)));
events.on("series", ofActive(({ series }) => {
  panels.markSeries(series.uid);
  panels.announce(series);
}));
events.on("frames", ofActive((reader) => {
  panels.showPresets(reader.presets, reader.preset);
  cine.setRate(reader.rate());
}));
events.on("image", ofActive((reader) => {
  const seen = reader.seen();
  panels.stateOf(seen);
  panels.markSwitch("invert", seen.inverted);
}));
events.on("live", ofActive(() => panels.setState({ state: "live" })));
events.on("active", (reader) => {
  if (!reader.series) return;
  panels.markSeries(reader.series.uid);
  panels.showPresets(reader.presets, reader.preset);
  if (reader.isLive) panels.stateOf(reader.seen());
});
events.on("unshown", ofActive(() => panels.setState({ state: "live", index: 0, count: 0 })));
events.on("progress", (reader) => {
  const known = reader.frames.filter((each) => weights.has(each.imageId));
  panels.showProgress(reader.series, {
    here: reader.loaded(),
    count: reader.frames.length,
    weighed: known.length,
    bytes: known.reduce((sum, each) => sum + weights.get(each.imageId), 0),
    perSecond: line.speed(),
  });
});

listenToButtons(commands);
listenToKeys(commands);
byId("cine-rate").addEventListener("input", (event) => cine.setRate(Number(event.target.value)));
byId("single-keys").checked = singleKeys.on();
byId("single-keys").addEventListener("change", (event) => singleKeys.set(event.target.checked));
chooseTool(matchMedia("(pointer: coarse)").matches ? "scroll" : "window");
active = openReader(document.querySelector(".vp"));
Object.assign(viewer, { fence, commands, framesFor, instancesFor, openImage, openReader, closeReader, activate });

/** The image that is shown first is on its way before the library is there to decode it. */
function askEarly({ uid, middle, syntax }) {
  line.frame(imageIdOf({ ...placeOf({ uid }), ...middle }), { stored: syntax, keep: true }).catch(() => undefined);
  const { worker, htj2k } = data.decoders;
  // Into the browser's own store of files; whoever needs them finds them there.
  for (const url of [worker, comesAsHtj2k(syntax) && htj2k]) {
    if (url) fetch(url, { signal: leaving.signal }).catch(() => undefined);
  }
}

async function boot() {
  await speak(document.documentElement.lang);
  const first = data.series.find((each) => each.uid === data.first) ?? data.series[0];
  if (!first) {
    active.overlays.notice(tr("No images have arrived yet. Open the study again in a moment."));
    panels.setState({ state: "live", index: 0, count: 0 });
    return;
  }
  // The first frame, metadata and the library travel at the same time. What fails here is said by
  // openSeries.
  if (!whyNotShown(first)) {
    instancesFor(first).catch(() => undefined);
    if (first.middle) askEarly(first);
  }
  const { openEngine } = await import("./engine.js");
  if (fence.isOver()) return;
  viewer.engine = openEngine({ events, line });
  if (!wanted && !whyNotShown(first)) await decodeEarly(first);
  if (fence.isOver()) return;
  for (const reader of readers) reader.attach(viewer.engine);
  openSeries(wanted ?? first.uid);
}

/** What is here already is decoded in its worker while this page waits for the graphics to begin. */
async function decodeEarly(series) {
  const begin = (frames) => frames.length && viewer.engine?.begin(frames, startOf(frames, series.middle));
  framesFor(series).then(begin).catch(() => undefined); // openSeries asks again, and says what fails
  await new Promise((soon) => setTimeout(soon));
}

// A feature that fails to come leaves the viewer as it is: images first.
let features = null;
function follow() {
  panels.showThumbnails();
  features ??= startFeatures(viewer).catch(() => events.tell("feature-missing"));
}
events.on("live", () => oncePainted(follow));
events.on("unshown", follow);

boot().catch(() => {
  if (!fence.isOver()) {
    active.overlays.notice(
      tr("The viewer could not start in this browser. The study page shows its thumbnails."),
    );
  }
});

// The viewer of one study. This small file answers at once: it watches the right to see, and wires
// buttons and keys; the large rendering library follows (stage.js) and takes over the picture that
// the server painted first.
import { createCine } from "./cine.js";
import { singleKeys, takeData } from "./data.js";
import { framesOfSeries, WebError } from "./dicomweb.js";
import { startFence } from "./fence.js";
import { listenToGestures } from "./gestures.js";
import { listenToKeys } from "./keys.js";
import * as panels from "./panels.js";
import { createPrefetch } from "./prefetch.js";
import { cineRate, presetsFor, whyNotShown } from "./rules.js";

const byId = (id) => document.getElementById(id);
const data = takeData();
const view = {
  stage: null,
  wanted: null,
  prefetch: null,
  series: null,
  frames: [],
  cached: new Set(),
  known: new Map(),
  presets: [],
  preset: -1,
  tool: "scroll",
  live: false,
  settling: false,
};
const leaving = new AbortController();

const fence = startFence({
  url: data.pulse,
  onBlank: (words) => {
    leaving.abort();
    cine.stop();
    view.prefetch?.stop();
    view.stage?.close();
    Object.assign(view, { stage: null, series: null, frames: [], known: new Map() });
    panels.blank(words);
  },
  onLine: (up) => {
    byId("line").hidden = up;
  },
});

const cine = createCine({
  advance() {
    const next = (view.stage.at() + 1) % view.frames.length;
    const ready = view.stage.isCached(view.frames[next].imageId);
    if (ready) goTo(next);
    return ready;
  },
  onChange(playing, rate) {
    panels.markSwitch("cine", playing);
    panels.setState({ playing });
    const bar = byId("cine-bar");
    if (!bar) return;
    bar.hidden = !playing;
    byId("cine-rate").value = String(rate);
    byId("cine-words").textContent = `${rate} images a second`;
  },
});

function goTo(at) {
  if (!view.frames.length || !view.live) return;
  const next = Math.min(view.frames.length - 1, Math.max(0, at));
  if (next === view.target) return;
  view.target = next;
  // The library drops overtaken requests; a failed image is reported by its own event.
  view.stage.goTo(next).catch(() => broken());
}

function scroll(by) {
  goTo((view.target ?? 0) + by);
}

let refreshing = 0;
function refresh() {
  if (refreshing) return;
  refreshing = requestAnimationFrame(() => {
    refreshing = 0;
    if (view.live && view.stage) describe();
  });
}

function describe() {
  const at = view.stage.at();
  const { series, frames, stage } = view;
  if (!frames[at]) return;
  panels.showImage({
    series,
    frames,
    at,
    window: stage.window(),
    zoom: stage.zoom(),
    slice: stage.slice(frames[at].imageId),
    inverted: stage.isInverted(),
    camera: stage.camera(),
  });
  panels.markSwitch("invert", stage.isInverted());
  view.prefetch.moved(at);
}

let counting = 0;
function count() {
  if (counting) return;
  counting = setTimeout(() => {
    counting = 0;
    if (!view.series || !view.frames.length) return;
    const loaded = view.frames.map((each) => view.cached.has(each.imageId));
    panels.showProgress(view.series, loaded.filter(Boolean).length, loaded.length);
    panels.showTrack(loaded);
  }, 100);
}

function onCached(imageId, there) {
  if (there) view.cached.add(imageId);
  else view.cached.delete(imageId);
  if (!there) view.prefetch?.forgot(imageId);
  count();
}

/** The first drawn image of a series: the server's picture steps aside for the live one. */
function onImage() {
  if (!view.settling || view.stage.drawn() !== view.frames[view.target].imageId) return;
  view.settling = false;
  view.live = true;
  panels.firstPaint("");
  panels.notice("");
  panels.setState({ state: "live" });
  describe();
  count();
}

function broken() {
  if (fence.isOver()) return;
  panels.notice("This image could not be shown. Its file may be damaged; the others are safe.");
}

async function framesFor(series) {
  if (!view.known.has(series.uid)) {
    const where = { root: data.root, study: data.study.uid, series: series.uid };
    view.known.set(series.uid, await framesOfSeries({ ...where, signal: leaving.signal }));
  }
  return view.known.get(series.uid);
}

function middleOf(series, frames) {
  const at = frames.findIndex(
    (each) => each.sop === series.middle?.sop && each.frame === series.middle.frame,
  );
  return at >= 0 ? at : Math.floor(frames.length / 2);
}

async function openSeries(uid) {
  const series = data.series.find((each) => each.uid === uid);
  if (!series || series === view.series || fence.isOver()) return;
  view.wanted = uid;
  if (!view.stage) return;
  cine.stop();
  Object.assign(view, { series, frames: [], live: false, settling: false });
  view.prefetch.follow([], 0);
  panels.markSeries(uid);
  panels.announce(series);
  panels.notice("");
  panels.firstPaint(series.middle?.url ?? "", panels.seriesName(series));
  const why = whyNotShown(series);
  if (why) {
    panels.notice(`${panels.seriesName(series)} is ${why}. This viewer shows images only.`);
    panels.setState({ state: "live", index: 0, count: 0 });
    return;
  }
  try {
    await showSeries(series);
  } catch (error) {
    seriesFailed(series, error);
  }
}

let turn = Promise.resolve();
/** One series after the other: a late image of the one before must not land in the next. */
function inTurn(work) {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

async function showSeries(series) {
  const frames = await framesFor(series);
  if (view.series !== series) return;
  const at = middleOf(series, frames);
  Object.assign(view, { frames, target: at });
  view.presets = presetsFor(series.modality, frames[0]?.instance);
  view.preset = view.presets.findIndex((each) => each.center === null);
  panels.showPresets(view.presets, view.preset);
  cine.setRate(cineRate(frames[0]?.instance));
  await inTurn(() => view.series === series && view.stage.load(frames, at));
  if (view.series !== series) return;
  view.settling = true;
  view.stage.draw();
  view.prefetch.follow(frames, at);
}

function seriesFailed(series, error) {
  if (fence.isOver() || view.series !== series) return;
  if (error instanceof WebError) fence.report(error.status);
  panels.notice(`${panels.seriesName(series)} could not be loaded. Choose it again to retry.`);
  Object.assign(view, { series: null });
}

function preset(at) {
  const chosen = view.presets[at];
  if (!chosen || !view.live) return;
  if (chosen.center === null) view.stage.resetWindow();
  else view.stage.setWindow(chosen.center, chosen.width);
  view.preset = at;
  panels.markPreset(at);
}

function dragWindow(dx, dy) {
  const now = view.live && view.stage.window();
  if (!now) return;
  const step = Math.max(now.width, 1) / 300;
  view.stage.setWindow(now.center + dy * step, now.width + dx * step);
  view.preset = -1;
  panels.markPreset(-1);
}

function chooseTool(tool) {
  view.tool = tool;
  panels.markTool(tool);
}

function otherSeries(by) {
  const at = data.series.findIndex((each) => each.uid === byId("viewer").dataset.series);
  const next = data.series[at + by];
  if (next) openSeries(next.uid);
}

function reset() {
  if (!view.live) return;
  view.stage.reset();
  view.preset = view.presets.findIndex((each) => each.center === null);
  panels.markPreset(view.preset);
}

const verbs = {
  scroll,
  preset,
  reset,
  otherSeries,
  tool: chooseTool,
  series: openSeries,
  invert: () => view.live && view.stage.invert(),
  cine: () => view.live && view.frames.length > 1 && cine.toggle(),
  zoomBy: (factor, point) => view.live && view.stage.zoomTo(view.stage.zoom() * factor, point),
  help: () => byId("help").showModal(),
  access: () => byId("access").showModal(),
  more: () => byId("more").showModal(),
  close: (arg) => byId(arg).close(),
  isOver: fence.isOver,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button || fence.isOver()) return;
  const { do: verb, arg } = button.dataset;
  verbs[verb](verb === "preset" ? Number(arg) : arg);
  if (button.closest("#more") && verb !== "close") byId("more").close();
});
listenToKeys(verbs);
listenToGestures(byId("stage"), {
  tool: () => view.tool,
  count: () => view.frames.length,
  scroll,
  window: dragWindow,
  zoomBy: verbs.zoomBy,
  pan: (dx, dy) => view.live && view.stage.panBy(dx, dy),
});
byId("slider").addEventListener("input", (event) => goTo(Number(event.target.value) - 1));
byId("cine-rate").addEventListener("input", (event) => cine.setRate(Number(event.target.value)));
byId("single-keys").checked = singleKeys.on();
byId("single-keys").addEventListener("change", (event) => singleKeys.set(event.target.checked));
chooseTool(matchMedia("(pointer: coarse)").matches ? "scroll" : "window");

async function boot() {
  const first = data.series.find((each) => each.uid === data.first) ?? data.series[0];
  if (!first) {
    panels.notice("No images have arrived yet. Open the study again in a moment.");
    panels.setState({ state: "live", index: 0, count: 0 });
    return;
  }
  // Metadata and the library travel at the same time. What fails here is said by openSeries.
  if (!whyNotShown(first)) framesFor(first).catch(() => view.known.delete(first.uid));
  const { openStage } = await import("./stage.js");
  if (fence.isOver()) return;
  view.stage = openStage({
    element: byId("stage"),
    onRefused: fence.report,
    onChange: refresh,
    onImage,
    onCached,
    onBroken: (imageId) => view.frames[view.target]?.imageId === imageId && broken(),
  });
  view.prefetch = createPrefetch(view.stage);
  await openSeries(view.wanted ?? first.uid);
}

boot().catch(() => {
  if (!fence.isOver()) {
    panels.notice("The viewer could not start in this browser. The study page shows its thumbnails.");
  }
});

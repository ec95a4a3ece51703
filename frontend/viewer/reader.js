// One pane being read: which series, how far it has come, what is on screen. There is one reader per
// pane; keys and buttons speak to the active one (main.js).
import { createOverlays, seriesName } from "./overlays.js";
import { oncePainted } from "./painted.js";
import { createPrefetch } from "./prefetch.js";
import { badgeWord, cineRate, presetsFor, whyNotShown } from "./rules.js";
import { tr } from "./words.js";

const COUNT_EVERY_MS = 100;

/** Runs `work` at most once per turn that `soon` gives, however often it is asked for. */
function lazily(soon, work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    soon(() => {
      asked = false;
      work();
    });
  };
}

/** Where to begin: at the image asked for, else in the middle. */
export function startOf(frames, wanted) {
  const at = frames.findIndex((each) => each.sop === wanted?.sop && each.frame === wanted.frame);
  return at >= 0 ? at : Math.floor(frames.length / 2);
}

/**
 * @param {{element: HTMLElement, events: object, cached: Set<string>, isOver: () => boolean,
 *   framesFor: (series: object) => Promise<object[]>, failed: (error: Error) => void}} wiring
 */
export function createReader({ element, events, cached, isOver, framesFor, failed }) {
  const overlays = createOverlays(element);
  const nothing = { series: null, frames: [], target: 0, live: false, settling: false };
  const now = { ...nothing, pane: null, prefetch: null, presets: [], preset: -1 };
  let turn = Promise.resolve();

  /** One series after the other: a late image of the one before must not land in the next. */
  function inTurn(work) {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  function broken() {
    if (!isOver()) overlays.notice(
        tr("This image could not be shown. Its file may be damaged; the others are safe."),
      );
  }

  /** All that is known of the image on screen. */
  function seen() {
    const { series, frames, pane } = now;
    const at = pane.at();
    return {
      ...{ series, frames, at, window: pane.window(), zoom: pane.zoom() },
      slice: pane.slice(frames[at].imageId),
      inverted: pane.isInverted(),
      camera: pane.camera(),
    };
  }

  function describe() {
    if (!now.live || !now.frames[now.pane.at()]) return;
    overlays.showImage(seen());
    overlays.badge(badgeWord(now.frames[now.pane.at()].instance));
    now.prefetch.moved(now.pane.at());
    events.tell("image", reader);
  }

  const refresh = lazily(requestAnimationFrame, describe);
  const count = lazily(
    (work) => setTimeout(work, COUNT_EVERY_MS),
    () => {
      if (isOver() || !now.frames.length) return;
      overlays.showTrack(now.frames.map((each) => cached.has(each.imageId)));
      events.tell("progress", reader);
    },
  );

  /** The first drawn image of a series: the server's picture steps aside for the live one. */
  function onImage() {
    if (!now.settling || now.pane.drawn() !== now.frames[now.target].imageId) return;
    Object.assign(now, { settling: false, live: true });
    overlays.endFirstPaint();
    overlays.notice("");
    overlays.settle(now.frames.length);
    describe();
    count();
    const { prefetch, frames } = now;
    oncePainted(() => now.frames === frames && prefetch.follow(frames, now.target));
    events.tell("live", reader);
  }

  async function show(series, wanted) {
    const frames = await framesFor(series);
    if (now.series !== series) return;
    const at = startOf(frames, wanted ?? series.middle);
    now.presets = presetsFor(series.modality, frames[0]?.instance);
    now.preset = now.presets.findIndex((each) => each.center === null);
    Object.assign(now, { frames, target: at });
    events.tell("frames", reader);
    await inTurn(() => now.series === series && now.pane.load(frames, at));
    if (now.series !== series) return;
    now.settling = true;
    now.pane.draw();
  }

  function seriesFailed(series, error) {
    if (isOver() || now.series !== series) return;
    failed(error);
    const name = seriesName(series);
    overlays.notice(tr("{series} could not be loaded. Choose it again to retry.", { series: name }));
    now.series = null;
  }

  function announce(series) {
    overlays.announce(series);
    overlays.notice("");
    overlays.firstPaint(series);
    events.tell("series", reader);
  }

  function withoutPictures(series, why) {
    overlays.notice(tr("{series} is {what}.", { series: seriesName(series), what: why }));
    overlays.settle(0);
    events.tell("unshown", reader);
  }

  const reader = {
    element,
    overlays,
    /** Gives the reader its viewport, once the library is there. */
    attach(engine) {
      now.pane = engine.openPane(overlays.stage, { onChange: refresh, onImage });
      now.prefetch = createPrefetch(engine);
    },
    get pane() {
      return now.pane;
    },
    get series() {
      return now.series;
    },
    get frames() {
      return now.frames;
    },
    get presets() {
      return now.presets;
    },
    get preset() {
      return now.preset;
    },
    get isLive() {
      return now.live;
    },
    seen,
    rate: () => cineRate(now.frames[0]?.instance),
    loaded: () => now.frames.filter((each) => cached.has(each.imageId)).length,

    /** What the series is when it has no pictures, in words; else empty. */
    get unshown() {
      return now.series ? whyNotShown(now.series) : "";
    },
    /**
     * Opens a series, at its middle or at the image asked for; resolves when that is on its way to
     * the screen.
     */
    async open(series, wanted) {
      if (isOver() || !now.pane) return;
      if (series === now.series) {
        if (wanted) reader.goTo(startOf(now.frames, wanted));
        return;
      }
      Object.assign(now, { ...nothing, series });
      now.prefetch.follow([], 0);
      announce(series);
      const why = whyNotShown(series);
      if (why) return withoutPictures(series, why);
      try {
        await show(series, wanted);
      } catch (error) {
        seriesFailed(series, error);
      }
    },
    goTo(at) {
      if (!now.frames.length || !now.live) return;
      const next = Math.min(now.frames.length - 1, Math.max(0, at));
      if (next === now.target) return;
      now.target = next;
      // The library drops overtaken requests; a failed image is reported by its own event.
      now.pane.goTo(next).catch(broken);
    },
    scroll: (by) => reader.goTo(now.target + by),
    choosePreset(at) {
      const chosen = now.presets[at];
      if (!chosen || !now.live) return;
      if (chosen.center === null) now.pane.resetWindow();
      else now.pane.setWindow(chosen.center, chosen.width);
      now.preset = at;
    },
    dragWindow(dx, dy) {
      const window = now.live && now.pane.window();
      if (!window) return;
      const step = Math.max(window.width, 1) / 300;
      now.pane.setWindow(window.center + dy * step, window.width + dx * step);
      now.preset = -1;
    },
    reset() {
      if (!now.live) return;
      now.pane.reset();
      now.preset = now.presets.findIndex((each) => each.center === null);
    },
    /** Forgets everything of the study. */
    stop() {
      now.prefetch?.stop();
      Object.assign(now, { ...nothing, pane: null, presets: [] });
    },
  };

  events.on("cached", (imageId, there) => {
    if (!there) now.prefetch?.forgot(imageId);
    count();
  });
  events.on("broken", (imageId) => {
    if (now.frames[now.target]?.imageId === imageId) broken();
  });
  overlays.slider.addEventListener("input", () => reader.goTo(Number(overlays.slider.value) - 1));
  return reader;
}

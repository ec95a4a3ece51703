// The one viewport: Cornerstone3D set up lean, and the verbs that tools, keys and rail share.
// The only module that knows the rendering library.
import {
  cache,
  Enums,
  eventTarget,
  getWebWorkerManager,
  imageLoader,
  imageRetrievalPoolManager,
  init as initCore,
  metaData,
  RenderingEngine,
} from "@cornerstonejs/core";
import { init as initLoader, wadors } from "@cornerstonejs/dicom-image-loader";
import { fileWindows, rangeOf, values, windowOf } from "./rules.js";

const ENGINE = "viewer";
const VIEWPORT = "one";
/** Decoded images kept in memory; on an old computer the browser must live too. */
const CACHE_BYTES = 512 * 1024 * 1024;
const PREFETCH_AT_ONCE = 4;
const ZOOM_LIMITS = [0.2, 20];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const VOI_FUNCTIONS = ["LINEAR", "LINEAR_EXACT", "SIGMOID"];

/**
 * The windows of the file, for the library. Its own reading takes the first letter of VOI LUT
 * Function (0028,1056) for the function and then refuses the image.
 */
function windowsOfFile(type, imageId) {
  if (type !== Enums.MetadataModules.VOI_LUT) return undefined;
  const instance = wadors.metaDataManager.get(imageId);
  if (!instance) return undefined;
  const windows = fileWindows(instance);
  const named = String(values(instance, "00281056")[0] ?? "LINEAR");
  return {
    windowCenter: windows.length ? windows.map((each) => each.center) : undefined,
    windowWidth: windows.length ? windows.map((each) => each.width) : undefined,
    voiLUTFunction: [VOI_FUNCTIONS.includes(named) ? named : "LINEAR"],
  };
}

/** Starts the libraries once; `onRefused(status)` hears of every failed request. */
function start(onRefused) {
  initCore({ rendering: { webGlContextCount: 1 } });
  initLoader({
    maxWebWorkers: clamp(Math.floor((navigator.hardwareConcurrency || 2) / 2), 1, 4),
    errorInterceptor: (error) => onRefused(error.status),
  });
  metaData.addProvider(windowsOfFile, 20_000);
  cache.setMaxCacheSize(CACHE_BYTES);
  imageRetrievalPoolManager.setMaxSimultaneousRequests(
    Enums.RequestType.Prefetch,
    PREFETCH_AT_ONCE,
  );
}

/**
 * Puts a live viewport into an element.
 * @param {{element: HTMLElement, onRefused: (status: number) => void, onChange: () => void,
 *   onImage: () => void, onCached: (imageId: string, there: boolean) => void,
 *   onBroken: (imageId: string) => void}} wiring
 */
export function openStage({ element, onRefused, onChange, onImage, onCached, onBroken }) {
  start(onRefused);
  const engine = new RenderingEngine(ENGINE);
  engine.enableElement({
    viewportId: VIEWPORT,
    type: Enums.ViewportType.STACK,
    element,
    defaultOptions: { background: [0, 0, 0] },
  });
  const viewport = engine.getViewport(VIEWPORT);
  const listeners = [
    [element, Enums.Events.IMAGE_RENDERED, onImage],
    [element, Enums.Events.STACK_NEW_IMAGE, onChange],
    [element, Enums.Events.VOI_MODIFIED, onChange],
    [element, Enums.Events.CAMERA_MODIFIED, onChange],
    [eventTarget, Enums.Events.IMAGE_CACHE_IMAGE_ADDED, (e) => onCached(e.detail.image.imageId, true)],
    [eventTarget, Enums.Events.IMAGE_CACHE_IMAGE_REMOVED, (e) => onCached(e.detail.imageId, false)],
    [eventTarget, Enums.Events.IMAGE_LOAD_ERROR, (e) => onBroken(e.detail.imageId)],
    [eventTarget, Enums.Events.IMAGE_LOAD_FAILED, (e) => onBroken(e.detail.imageId)],
  ];
  for (const [target, name, heard] of listeners) target.addEventListener(name, heard);
  /** A picture that fits goes on fitting when the window changes; one that was moved stays. */
  function refit() {
    const [x, y] = viewport.getPan();
    const untouched = Math.abs(fit - viewport.getZoom()) < 0.005 && Math.hypot(x, y) < 1;
    engine.resize(true, !untouched);
    fit = untouched ? viewport.getZoom() : fit;
  }
  let fit = 1;
  const resizer = new ResizeObserver(refit);
  resizer.observe(element);

  /** Whether the file itself asks for white as low (MONOCHROME1), which is not "inverted". */
  let whiteIsLow = false;

  function draw() {
    viewport.render();
  }

  return {
    /**
     * Loads the frames of a series, beginning with the one at `at` (counted from 0). Only what is
     * drawn after this has resolved shows the series: an empty viewport draws too.
     */
    async load(frames, at) {
      for (const each of frames) {
        if (each.frame === 1) wadors.metaDataManager.add(each.imageId, each.instance);
      }
      await viewport.setStack(frames.map((each) => each.imageId), at);
      viewport.resetCamera();
      fit = viewport.getZoom();
      whiteIsLow = Boolean(viewport.getProperties().invert);
    },
    draw,
    goTo: (at) => viewport.setImageIdIndex(at),
    at: () => viewport.getCurrentImageIdIndex(),
    /** The image that is really on screen. */
    drawn: () => viewport.getCornerstoneImage()?.imageId,
    window() {
      const range = viewport.getProperties().voiRange;
      return range ? windowOf(range) : null;
    },
    setWindow(center, width) {
      viewport.setProperties({ voiRange: rangeOf({ center, width: Math.max(1, width) }) });
      draw();
    },
    /** The window of the file, or the full range where it names none. */
    resetWindow() {
      const { invert } = viewport.getProperties();
      viewport.resetProperties();
      viewport.setProperties({ invert });
      draw();
    },
    invert() {
      viewport.setProperties({ invert: !viewport.getProperties().invert });
      draw();
      onChange();
    },
    isInverted: () => Boolean(viewport.getProperties().invert) !== whiteIsLow,
    zoom: () => viewport.getZoom(),
    /** Zooms about a point of the element in CSS pixels, or about the middle. */
    zoomTo(zoom, point) {
      const next = clamp(zoom, ...ZOOM_LIMITS);
      const before = point && viewport.canvasToWorld(point);
      viewport.setZoom(next);
      if (before) {
        const now = viewport.worldToCanvas(before);
        this.panBy(point[0] - now[0], point[1] - now[1]);
      }
      draw();
    },
    panBy(x, y) {
      const [panX, panY] = viewport.getPan();
      viewport.setPan([panX + x, panY + y]);
      draw();
    },
    reset() {
      viewport.resetProperties();
      viewport.resetCamera();
      fit = viewport.getZoom();
      draw();
      onChange();
    },
    camera: () => viewport.getCamera(),
    /** Where the image lies: its slice location in mm, or null. */
    slice(imageId) {
      const plane = metaData.get("imagePlaneModule", imageId);
      if (!plane || plane.usingDefaultValues) return null;
      const [a, b, c] = [plane.rowCosines, plane.columnCosines, plane.imagePositionPatient];
      const normal = [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
      ];
      return normal.reduce((sum, part, axis) => sum + part * c[axis], 0);
    },
    isCached: (imageId) => Boolean(cache.getImageLoadObject(imageId)?.image ?? cache.isLoaded(imageId)),
    /** Loads into the cache without showing; resolves to the decoded size in bytes. */
    async prefetch(imageId) {
      const image = await imageLoader.loadAndCacheImage(imageId, {
        requestType: Enums.RequestType.Prefetch,
        priority: 10,
      });
      return image.sizeInBytes;
    },
    /** Takes every pixel away, out of the page and out of memory. */
    close() {
      for (const [target, name, heard] of listeners) target.removeEventListener(name, heard);
      resizer.disconnect();
      imageRetrievalPoolManager.clearRequestStack(Enums.RequestType.Prefetch);
      imageRetrievalPoolManager.clearRequestStack(Enums.RequestType.Interaction);
      for (const canvas of element.querySelectorAll("canvas")) canvas.width = 0;
      engine.disableElement(VIEWPORT);
      engine.destroy();
      cache.purgeCache();
      wadors.metaDataManager.purge();
      getWebWorkerManager().terminate("dicomImageLoader");
      element.replaceChildren();
    },
  };
}

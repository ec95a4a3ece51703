// The rendering library, Cornerstone3D, set up lean: its start, its memory, its end. Panes (pane.js)
// are opened here; besides these two only features know the library.
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
import { createImage, init as initLoader, wadors } from "@cornerstonejs/dicom-image-loader";
import { withPalette } from "./palette.js";
import { introduce, openPane } from "./pane.js";
import { fileWindows, storedSyntax, values } from "./rules.js";

const ENGINE = "viewer";
/** Decoded images kept in memory; on an old computer the browser must live too. */
const CACHE_BYTES = 512 * 1024 * 1024;
const PREFETCH_AT_ONCE = 4;

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

/** Frames come by our own line (line.js); the library decodes them in its workers. */
function loaderOver(line) {
  async function load(imageId, options) {
    const instance = wadors.metaDataManager.get(imageId);
    const ahead = options.requestType === Enums.RequestType.Prefetch;
    const asked = line.frame(imageId, { stored: storedSyntax(instance), ahead });
    const [{ bytes, syntax }] = await Promise.all([asked, withPalette(instance, line.signal)]);
    const image = await createImage(imageId, bytes, syntax, { ...options });
    image.transferSyntaxUID = syntax;
    image.imageQualityStatus = Enums.ImageQualityStatus.FULL_RESOLUTION;
    return image;
  }
  return (imageId, options = {}) => ({ promise: load(imageId, options), cancelFn: undefined });
}

/** Starts the libraries once. */
function start(line) {
  initCore({ rendering: { webGlContextCount: 1 } });
  initLoader({
    maxWebWorkers: clamp(Math.floor((navigator.hardwareConcurrency || 2) / 2), 1, 4),
  });
  imageLoader.registerImageLoader("wadors", loaderOver(line));
  metaData.addProvider(windowsOfFile, 20_000);
  cache.setMaxCacheSize(CACHE_BYTES);
  imageRetrievalPoolManager.setMaxSimultaneousRequests(
    Enums.RequestType.Prefetch,
    PREFETCH_AT_ONCE,
  );
}

/**
 * The images of memory and the panes that show them.
 * @param {{events: object, line: object}} wiring
 */
export function openEngine({ events, line }) {
  const panes = new Set();
  start(line);
  let engine = null;
  const { IMAGE_CACHE_IMAGE_ADDED, IMAGE_CACHE_IMAGE_REMOVED } = Enums.Events;
  const { IMAGE_LOAD_ERROR, IMAGE_LOAD_FAILED } = Enums.Events;
  const listeners = [
    [IMAGE_CACHE_IMAGE_ADDED, (e) => events.tell("cached", e.detail.image.imageId, true)],
    [IMAGE_CACHE_IMAGE_REMOVED, (e) => events.tell("cached", e.detail.imageId, false)],
    [IMAGE_LOAD_ERROR, (e) => events.tell("broken", e.detail.imageId)],
    [IMAGE_LOAD_FAILED, (e) => events.tell("broken", e.detail.imageId)],
  ];
  for (const [name, heard] of listeners) eventTarget.addEventListener(name, heard);

  return {
    /** The library's own engine, for features; the graphics begin with it. */
    get library() {
      engine ??= new RenderingEngine(ENGINE);
      return engine;
    },
    /** A live viewport in an element; see pane.js. */
    openPane(element, wiring) {
      const pane = openPane(this.library, element, wiring);
      panes.add(pane);
      return pane;
    },
    closePane(pane) {
      panes.delete(pane);
      pane.close();
    },
    /** An image is decoded before there is a pane for it. A failure is said by who shows it. */
    begin(frames, at) {
      introduce(frames);
      imageLoader.loadAndCacheImage(frames[at].imageId).catch(() => undefined);
    },
    isCached: (imageId) => Boolean(cache.getImageLoadObject(imageId)?.image ?? cache.isLoaded(imageId)),
    /** Takes images out of memory, such as those whose right to be seen has ended. */
    forget(imageIds) {
      for (const imageId of imageIds) {
        if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
        wadors.metaDataManager.remove(imageId);
      }
    },
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
      for (const [name, heard] of listeners) eventTarget.removeEventListener(name, heard);
      imageRetrievalPoolManager.clearRequestStack(Enums.RequestType.Prefetch);
      imageRetrievalPoolManager.clearRequestStack(Enums.RequestType.Interaction);
      for (const pane of panes) pane.close();
      engine?.destroy();
      cache.purgeCache();
      wadors.metaDataManager.purge();
      getWebWorkerManager().terminate("dicomImageLoader");
    },
  };
}

// One viewport, and the verbs that tools, keys and rail share.
import { Enums, metaData, utilities } from "@cornerstonejs/core";
import { wadors } from "@cornerstonejs/dicom-image-loader";

import { rangeOf, windowOf } from "./rules.js";

const ZOOM_LIMITS = [0.2, 20];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

let opened = 0;

/** What is known of images before they are there. */
export function introduce(frames) {
  for (const each of frames) {
    if (each.frame === 1) wadors.metaDataManager.add(each.imageId, each.instance);
  }
}

/**
 * Puts a live viewport into an element.
 * @param {object} engine the library's rendering engine
 * @param {HTMLElement} element
 * @param {{onChange: () => void, onImage: () => void}} wiring
 */
export function openPane(engine, element, { onChange, onImage }) {
  opened += 1;
  const viewportId = `pane-${opened}`;
  engine.enableElement({
    viewportId,
    type: Enums.ViewportType.STACK,
    element,
    defaultOptions: { background: [0, 0, 0] },
  });
  const viewport = engine.getViewport(viewportId);
  const listeners = [
    [Enums.Events.IMAGE_RENDERED, onImage],
    [Enums.Events.STACK_NEW_IMAGE, onChange],
    [Enums.Events.VOI_MODIFIED, onChange],
    [Enums.Events.CAMERA_MODIFIED, onChange],
  ];
  for (const [name, heard] of listeners) element.addEventListener(name, heard);
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
      introduce(frames);
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
    /** Turns clockwise by quarter turns, or mirrors left and right. */
    turn({ by = 0, flip = false }) {
      if (flip) viewport.flip({ flipHorizontal: true });
      if (by) viewport.setRotation((viewport.getRotation() + by + 360) % 360);
      draw();
      onChange();
    },
    reset() {
      viewport.resetProperties();
      viewport.setCamera({ flipHorizontal: false, flipVertical: false });
      viewport.resetCamera();
      fit = viewport.getZoom();
      draw();
      onChange();
    },
    camera: () => viewport.getCamera(),
    /** Where a point of the image, in pixels from its upper left corner, is in the element. */
    onScreen(point) {
      const world = utilities.imageToWorldCoords(viewport.getCurrentImageId(), point);
      return viewport.worldToCanvas(world);
    },
    /** Turned clockwise by so many degrees and mirrored left to right. */
    present({ turned, mirrored }) {
      viewport.setViewPresentation({ rotation: turned, flipHorizontal: mirrored });
      draw();
    },
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
    /** The library's own viewport, for features. */
    viewport,
    viewportId,
    /** Takes every pixel away; an element is disabled before it leaves the page. */
    close() {
      for (const [name, heard] of listeners) element.removeEventListener(name, heard);
      resizer.disconnect();
      for (const canvas of element.querySelectorAll("canvas")) canvas.width = 0;
      engine.disableElement(viewportId);
      element.replaceChildren();
    },
  };
}

// The library's measuring tools, fetched when the first of them is wanted: drawing, handles, touch.
// What a measurement says is ours (figures.js), written by the same lines everywhere.
import "./engine.js"; // one piece with the library: the first image needs both, and each piece is a request
import { cache, Enums, eventTarget, metaData, triggerEvent } from "@cornerstonejs/core";
import { wadors } from "@cornerstonejs/dicom-image-loader";
import {
  addTool,
  AngleTool,
  annotation,
  ArrowAnnotateTool,
  BidirectionalTool,
  CobbAngleTool,
  destroy,
  EllipticalROITool,
  Enums as ToolEnums,
  init,
  LengthTool,
  MagnifyTool,
  ProbeTool,
  RectangleROITool,
  ReferenceLinesTool,
  ToolGroupManager,
  utilities,
} from "@cornerstonejs/tools";
import { boxOf, figuresOf, linesOf, REGIONS, suvFactor, unitOf } from "./figures.js";
import { numbers } from "./rules.js";

const GROUP = "instruments";
const ENGINE = "viewer";
const TOOLS = {
  length: LengthTool,
  bidirectional: BidirectionalTool,
  angle: AngleTool,
  cobb: CobbAngleTool,
  ellipse: EllipticalROITool,
  rectangle: RectangleROITool,
  arrow: ArrowAnnotateTool,
  probe: ProbeTool,
};
const POINTS = { length: 2, bidirectional: 4, angle: 3, cobb: 4, arrow: 2, probe: 1 };
const KIND_OF = new Map(Object.entries(TOOLS).map(([kind, tool]) => [tool.toolName, kind]));
const STYLE = {
  color: "#ffd75e",
  colorHighlighted: "#fff3c4",
  colorSelected: "#fff3c4",
  colorLocked: "#9aacb0",
  lineWidth: "1.5",
  textBoxFontFamily: "IBM Plex Sans Variable, system-ui, sans-serif",
  textBoxFontSize: "13px",
  textBoxColor: "#ffd75e",
  textBoxColorHighlighted: "#fff3c4",
  textBoxColorSelected: "#fff3c4",
  textBoxColorLocked: "#cfd8da",
};
const { ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED } = ToolEnums.Events;

/** The object and the frame that an image's address names. */
export function placeOf(imageId) {
  const [, sop, frame] = /\/instances\/([^/]+)\/frames\/(\d+)/.exec(imageId) ?? [];
  return { sop, frame: Number(frame) };
}

/** Where an image lies in the library's space: the first pixel's centre, the steps of one pixel. */
function planeOf(imageId) {
  const plane = metaData.get("imagePlaneModule", imageId) ?? {};
  const across = plane.rowCosines ?? [1, 0, 0];
  const down = plane.columnCosines ?? [0, 1, 0];
  const origin = plane.imagePositionPatient ?? [0, 0, 0];
  return { across, down, origin, x: plane.columnPixelSpacing || 1, y: plane.rowPixelSpacing || 1 };
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

function toPixels(imageId, world) {
  const { across, down, origin, x, y } = planeOf(imageId);
  const away = world.map((part, axis) => part - origin[axis]);
  return [dot(away, across) / x + 0.5, dot(away, down) / y + 0.5];
}

function toWorld(imageId, [column, row]) {
  const { across, down, origin, x, y } = planeOf(imageId);
  return origin.map(
    (part, axis) => part + across[axis] * (column - 0.5) * x + down[axis] * (row - 0.5) * y,
  );
}

/** The values of an image as the file means them; nothing where pixels are colours. */
function readOf(imageId, instance) {
  const image = cache.getImage(imageId);
  if (!image || image.color) return undefined;
  const stored = image.getPixelData();
  const scaling = image.preScale?.scaled ? image.preScale.scalingParameters : null;
  const [slope, intercept] = scaling ? [1, 0] : [image.slope ?? 1, image.intercept ?? 0];
  const isSuv = Boolean(scaling?.suvbw);
  const factor = isSuv ? 1 : suvFactor(instance);
  const unit = isSuv || factor ? "SUV" : unitOf(instance);
  const scale = factor ?? 1;
  const at = (place) => (stored[place] * slope + intercept) * scale;
  return { columns: image.columns, rows: image.rows, unit, at };
}

/** The measurement of an annotation: its kind, place, points and figures. */
function measured(each) {
  const kind = KIND_OF.get(each.metadata.toolName);
  const imageId = each.metadata.referencedImageId;
  const instance = imageId && wadors.metaDataManager.get(imageId);
  if (!kind || !instance) return null;
  let points = each.data.handles.points.map((point) => toPixels(imageId, point));
  if (points.length < (POINTS[kind] ?? 2)) return null;
  if (REGIONS.has(kind)) {
    const [left, top, right, bottom] = boxOf(points);
    points = [[left, top], [right, bottom]];
  }
  if (kind === "arrow") points = points.slice(0, 1);
  const place = placeOf(imageId);
  const label = each.data.label ?? "";
  const read = REGIONS.has(kind) || kind === "probe" ? readOf(imageId, instance) : undefined;
  const figures = figuresOf({ kind, points, instance, frame: place.frame, read });
  const lines = linesOf(kind, figures, label);
  return { uid: each.annotationUID, kind, imageId, ...place, points, label, figures, lines };
}

const remembered = new WeakMap();
/** The same points are not read twice: a region may hold a million pixels. */
function remember(each) {
  const key = JSON.stringify([each.data.handles.points.map((p) => [...p]), each.data.label]);
  const before = remembered.get(each.data);
  if (before?.key === key) return before.found;
  const found = measured(each);
  if (found) remembered.set(each.data, { key, found });
  return found;
}

function linesFor(kind) {
  return (data, targetId) => {
    const imageId = targetId.replace(/^imageId:/, "");
    const toolName = TOOLS[kind].toolName;
    const each = { data, annotationUID: "", metadata: { toolName, referencedImageId: imageId } };
    return remember(each)?.lines ?? [];
  };
}

/**
 * Starts the tools on the panes that are there and on those that come.
 * @param {{askText: (done: (text: string) => void) => void, onChange: (what: string, measure: object|null) => void}} wiring
 */
export function openInstruments({ askText, onChange }) {
  init();
  const group = ToolGroupManager.createToolGroup(GROUP);
  const ask = { getTextCallback: askText, changeTextCallback: (_data, _event, done) => askText(done) };
  for (const [kind, tool] of Object.entries(TOOLS)) {
    addTool(tool);
    group.addTool(tool.toolName, { getTextLines: linesFor(kind), ...(kind === "arrow" ? ask : {}) });
    group.setToolPassive(tool.toolName);
  }
  addTool(ReferenceLinesTool);
  addTool(MagnifyTool);
  group.addTool(MagnifyTool.toolName, { magnifySize: 3, magnifyWidth: 220, magnifyHeight: 220 });
  annotation.config.style.setDefaultToolStyles({
    ...annotation.config.style.getDefaultToolStyles(),
    global: { ...annotation.config.style.getDefaultToolStyles().global, ...STYLE },
  });
  const viewports = new Map();
  let active = null;

  const told = (what) => (event) => {
    const each = event.detail.annotation;
    if (KIND_OF.has(each?.metadata.toolName)) onChange(what, what === "removed" ? null : remember(each));
  };
  const listeners = [
    [ANNOTATION_COMPLETED, told("completed")],
    [ANNOTATION_MODIFIED, told("modified")],
    [ANNOTATION_REMOVED, told("removed")],
  ];
  for (const [name, heard] of listeners) eventTarget.addEventListener(name, heard);

  const all = () => annotation.state.getAllAnnotations().filter((a) => KIND_OF.has(a.metadata.toolName));

  function redraw() {
    utilities.triggerAnnotationRenderForViewportIds([...viewports.keys()]);
  }

  return {
    /** A pane that was opened before the tools were fetched is told of them now. */
    join(pane, { isNew = false } = {}) {
      if (viewports.has(pane.viewportId)) return;
      viewports.set(pane.viewportId, pane);
      const detail = { element: pane.viewport.element, viewportId: pane.viewportId, renderingEngineId: ENGINE };
      if (!isNew) triggerEvent(eventTarget, Enums.Events.ELEMENT_ENABLED, detail);
      group.addViewport(pane.viewportId, ENGINE);
    },
    leave(pane) {
      viewports.delete(pane.viewportId);
      group.removeViewports(ENGINE, pane.viewportId);
    },
    /** The tool of the left button and of one finger; null gives it back. */
    choose(kind) {
      if (active) group.setToolPassive(active, { removeAllBindings: true });
      if (active === MagnifyTool.toolName) group.setToolDisabled(active);
      active = kind === "magnify" ? MagnifyTool.toolName : (TOOLS[kind]?.toolName ?? null);
      if (!active) return;
      const bindings = [{ mouseButton: ToolEnums.MouseBindings.Primary }, { numTouchPoints: 1 }];
      group.setToolActive(active, { bindings });
    },
    list: () => all().map(remember).filter(Boolean),
    remove(uid) {
      annotation.state.removeAnnotation(uid);
      redraw();
    },
    removeAll() {
      for (const each of all()) annotation.state.removeAnnotation(each.annotationUID);
      redraw();
    },
    selected: () => annotation.selection.getAnnotationsSelected(),
    /** Draws a kept measurement on its image; it can't be moved: it is somebody's record. */
    restore({ uid, kind, imageId, points, label }) {
      const instance = wadors.metaDataManager.get(imageId);
      if (!instance || !TOOLS[kind]) return false;
      const { across, down } = planeOf(imageId);
      const normal = [
        across[1] * down[2] - across[2] * down[1],
        across[2] * down[0] - across[0] * down[2],
        across[0] * down[1] - across[1] * down[0],
      ];
      annotation.state.addAnnotation(
        {
          annotationUID: uid,
          highlighted: false,
          invalidated: true,
          isLocked: true,
          isVisible: true,
          metadata: {
            toolName: TOOLS[kind].toolName,
            referencedImageId: imageId,
            FrameOfReferenceUID: metaData.get("imagePlaneModule", imageId)?.frameOfReferenceUID,
            viewPlaneNormal: normal.map((part) => -part),
            viewUp: down.map((part) => -part),
          },
          data: {
            label,
            cachedStats: {},
            handles: {
              points: handlesOf(kind, points, instance).map((point) => toWorld(imageId, point)),
              activeHandleIndex: null,
              arrowFirst: true,
              textBox: { hasMoved: false, worldPosition: [0, 0, 0], worldBoundingBox: {
                topLeft: [0, 0, 0], topRight: [0, 0, 0], bottomLeft: [0, 0, 0], bottomRight: [0, 0, 0],
              } },
            },
          },
        },
        [...viewports.values()][0].viewport.element,
      );
      annotation.locking.setAnnotationLocked(uid, true);
      redraw();
      return true;
    },
    /** Where the image of one pane cuts those of the others; null takes the lines away. */
    referenceLines(viewportId) {
      const name = ReferenceLinesTool.toolName;
      if (!group.hasTool(name)) group.addTool(name, { sourceViewportId: viewportId });
      if (viewportId === null) return group.setToolDisabled(name);
      group.setToolConfiguration(name, { sourceViewportId: viewportId });
      group.setToolEnabled(name);
      return redraw();
    },
    close() {
      for (const [name, heard] of listeners) eventTarget.removeEventListener(name, heard);
      annotation.state.removeAllAnnotations();
      destroy();
    },
  };
}

/** The library's own handles for our points. */
function handlesOf(kind, points, instance) {
  if (kind === "arrow") {
    const away = (numbers(instance, "00280011")[0] ?? 512) / 12;
    return [points[0], [points[0][0] + away, points[0][1] - away]];
  }
  if (!REGIONS.has(kind)) return points;
  const [left, top, right, bottom] = boxOf(points);
  if (kind === "rectangle") return [[left, top], [right, top], [left, bottom], [right, bottom]];
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  return [[middleX, bottom], [middleX, top], [left, middleY], [right, middleY]];
}

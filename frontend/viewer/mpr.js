// Three planes through one volume, with crosshairs: fetched when wanted. Only where the slices make a
// volume (volume.js).
import "./engine.js"; // one piece with the library: the first image needs both, and each piece is a request
import {
  cache,
  cornerstoneStreamingImageVolumeLoader,
  Enums,
  setVolumesForViewports,
  volumeLoader,
} from "@cornerstonejs/core";
import { addTool, CrosshairsTool, Enums as ToolEnums, ToolGroupManager } from "@cornerstonejs/tools";
import { rangeOf } from "./rules.js";

const SCHEME = "cornerstoneStreamingImageVolume";
const GROUP = "planes";
const ENGINE = "viewer";
const { AXIAL, CORONAL, SAGITTAL } = Enums.OrientationAxis;
const PLANES = [
  { id: "plane-axial", name: "Axial", orientation: AXIAL, colour: "#7cc9d2" },
  { id: "plane-coronal", name: "Coronal", orientation: CORONAL, colour: "#ffd75e" },
  { id: "plane-sagittal", name: "Sagittal", orientation: SAGITTAL, colour: "#74cf9c" },
];

/**
 * Opens the three planes in elements of their own.
 * @param {{engine: object, elements: HTMLElement[], frames: object[], window: object|null}} wiring
 */
export async function openPlanes({ engine, elements, frames, window }) {
  volumeLoader.registerVolumeLoader(SCHEME, cornerstoneStreamingImageVolumeLoader);
  const ids = PLANES.map((plane) => plane.id);
  PLANES.forEach((plane, at) => {
    engine.enableElement({
      viewportId: plane.id,
      type: Enums.ViewportType.ORTHOGRAPHIC,
      element: elements[at],
      defaultOptions: { orientation: plane.orientation, background: [0, 0, 0] },
    });
  });
  const volumeId = `${SCHEME}:${frames[0].imageId}`;
  const volume = await volumeLoader.createAndCacheVolume(volumeId, {
    imageIds: frames.map((each) => each.imageId),
  });
  volume.load();
  await setVolumesForViewports(engine, [{ volumeId }], ids);
  for (const id of ids) {
    const viewport = engine.getViewport(id);
    if (window) viewport.setProperties({ voiRange: rangeOf(window) });
  }
  const group = ToolGroupManager.createToolGroup(GROUP);
  addTool(CrosshairsTool);
  group.addTool(CrosshairsTool.toolName, {
    getReferenceLineColor: (id) => PLANES.find((plane) => plane.id === id).colour,
    getReferenceLineControllable: () => true,
    getReferenceLineDraggableRotatable: () => false,
    getReferenceLineSlabThicknessControlsOn: () => false,
  });
  for (const id of ids) group.addViewport(id, ENGINE);
  group.setToolActive(CrosshairsTool.toolName, {
    bindings: [{ mouseButton: ToolEnums.MouseBindings.Primary }, { numTouchPoints: 1 }],
  });
  engine.renderViewports(ids);

  return {
    /** The window is one for all planes. */
    setWindow(next) {
      for (const id of ids) engine.getViewport(id).setProperties({ voiRange: rangeOf(next) });
      engine.renderViewports(ids);
    },
    camera: (at) => engine.getViewport(ids[at]).getCamera(),
    scroll(at, by) {
      engine.getViewport(ids[at]).scroll(by);
    },
    close() {
      ToolGroupManager.destroyToolGroup(GROUP);
      for (const id of ids) engine.disableElement(id);
      // Not volume.destroy(): it throws while a slice is on its way, and what it emptied stays in the
      // cache for the next time to find.
      cache.removeVolumeLoadObject(volumeId);
    },
  };
}

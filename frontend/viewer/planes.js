// MPR: the command, the panes and the way back. The volume and its crosshairs are fetched when wanted
// (mpr.js).
import { seriesName } from "./overlays.js";
import { edgeMarks } from "./rules.js";
import { whyNoVolume } from "./volume.js";
import { tr } from "./words.js";

const NAMES = [
  () => tr("Axial"),
  () => tr("Coronal, reconstructed"),
  () => tr("Sagittal, reconstructed"),
];
const EDGES = ["top", "right", "bottom", "left"];
const byId = (id) => document.getElementById(id);

/** Starts the feature. */
export function start(viewer) {
  const { commands, engine, events, fence, measuring } = viewer;
  let open = null;
  let opening = false;

  function panes(series) {
    const grid = Object.assign(document.createElement("div"), { className: "planes", id: "planes" });
    grid.dataset.study = "";
    const stages = NAMES.map((named, at) => {
      const name = named();
      const pane = Object.assign(document.createElement("div"), { className: "vp plane" });
      const stage = Object.assign(document.createElement("div"), { className: "stage" });
      stage.setAttribute("role", "img");
      stage.setAttribute("aria-label", `${name}, ${seriesName(series)}`);
      const words = Object.assign(document.createElement("p"), { className: "ov tl" });
      words.textContent = name;
      stage.addEventListener("wheel", (event) => {
        event.preventDefault();
        open?.scroll(at, Math.sign(event.deltaY));
      });
      pane.append(stage, words);
      const mark = document.querySelector(".panes .stamp");
      if (mark) pane.append(mark.cloneNode(true));
      grid.append(pane);
      return stage;
    });
    byId("panes").after(grid);
    return { grid, stages };
  }

  function close() {
    if (!open) return;
    open.close();
    open = null;
    byId("planes")?.remove();
    byId("panes").hidden = false;
    told();
  }

  function told() {
    for (const button of document.querySelectorAll('[data-do="planes"]')) {
      button.setAttribute("aria-pressed", String(Boolean(open)));
    }
    viewer.setState({ planes: open ? 3 : 0 });
  }

  async function planes() {
    if (open) return close();
    const reader = viewer.reader();
    if (!reader.isLive || opening) return undefined;
    const why = whyNoVolume(reader.frames);
    if (why) return measuring.say(why);
    opening = true;
    try {
      await show(reader);
    } catch {
      if (!fence.isOver()) {
        byId("planes")?.remove();
        byId("panes").hidden = false;
        measuring.say(tr("The planes could not be made here. The slices are as they were."));
      }
    } finally {
      opening = false;
    }
    return told();
  }

  async function show(reader) {
    measuring.say(tr("Loading the volume"));
    await measuring.open();
    const { openPlanes } = await import("./mpr.js");
    if (fence.isOver()) return;
    const { stages } = panes(reader.series);
    byId("panes").hidden = true;
    const made = await openPlanes({
      engine: engine.library,
      elements: stages,
      frames: reader.frames,
      window: reader.pane.window(),
    });
    if (fence.isOver()) return; // the engine went, and all that it held
    measuring.say("");
    open = made;
    stages.forEach((stage, at) => writeMarks(stage.parentElement, reader.frames[0].instance, made.camera(at)));
  }

  /** Which side of the patient is where: planes are not turned, so once is enough. */
  function writeMarks(pane, instance, camera) {
    const marks = edgeMarks(instance, camera);
    for (const edge of EDGES) {
      const made = Object.assign(document.createElement("p"), { className: `ov edge ${edge}` });
      made.textContent = marks[edge];
      pane.append(made);
    }
  }

  events.on("series", close);
  events.on("active", close);
  commands.add({ planes });
  commands.bind({ v: ["planes"] });
  told();
}

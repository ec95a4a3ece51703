// What comes after the first live image, each in a file of its own that is fetched only then: a thin
// line carries the picture first. Every feature exports `start(viewer)`.

/**
 * What a feature is given.
 * @typedef {object} Viewer
 * @property {object} data what the server put into the page
 * @property {object} events see events.js
 * @property {object} commands see commands.js: add commands, bind keys
 * @property {object} engine see engine.js: more panes, images of memory
 * @property {() => object[]} readers those of all panes
 * @property {(facts: object) => void} setState what tests and assistive scripts may read
 * @property {() => object} reader the reader (reader.js) that keys and buttons speak to
 * @property {(element: HTMLElement) => object} openReader another pane with its reader
 * @property {AbortSignal} leaving aborted when access ends: give it to every fetch
 * @property {{isOver: () => boolean, report: (status: number) => void}} fence
 */

const FEATURES = [
  () => import("./presentation.js"),
  () => import("./papers.js"),
  () => import("./turning.js"),
  () => import("./measuring.js"),
  () => import("./keeping.js"),
  () => import("./layout.js"),
  () => import("./planes.js"),
];

/** Fetches and starts the features, one after the other so that images go before them. */
export async function startFeatures(viewer) {
  for (const load of FEATURES) {
    const feature = await load();
    if (viewer.fence.isOver()) return;
    await feature.start(viewer);
  }
}

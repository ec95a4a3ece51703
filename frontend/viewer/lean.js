// What the build leaves out of the rendering library: parts that a viewer of stacks never runs.
// Measured on the entry: 605 kB brotli before, see the build's own report for now.
const LEFT_OUT = "\0left-out";

/** A Vite plugin that swaps vtk.js's WebGPU back end for nothing and its colour maps for few. */
export function lean() {
  return {
    name: "viewer-lean",
    enforce: "pre",
    resolveId(source, importer) {
      if (!importer?.includes("@kitware/vtk.js")) return null;
      if (source.includes("WebGPU/")) return LEFT_OUT;
      return null;
    },
    load: (id) => (id === LEFT_OUT ? "export default {};" : null),
  };
}

/** Module paths that stand in for others, for `resolve.alias`. */
export const STAND_INS = [
  {
    find: "@kitware/vtk.js/Rendering/Core/ColorTransferFunction/ColorMaps.js",
    replacement: "@kitware/vtk.js/Rendering/Core/ColorTransferFunction/ColorMapsLite.js",
  },
];

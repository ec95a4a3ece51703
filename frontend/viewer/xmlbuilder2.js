// Stands in for the npm package of this name, which vtk.js imports for its XML file formats.
// The viewer reads DICOM only, so nothing may ever call this.
export function create() {
  throw new Error("XML building is not part of the viewer");
}
export default { create };

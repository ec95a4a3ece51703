// What the build leaves out of the rendering library: parts that a viewer of stacks never runs.
// Runs in Node, at build time only.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const { resolve } = createRequire(import.meta.url);
const NOTHING = "\0nothing";
const DICTIONARY = "\0dictionary";
/** The one style attribute of the measuring tools: the page's policy lets no text become style. */
const STYLE_ATTRIBUTE = "textElement.setAttribute('style', combinedStyle)";

/**
 * The library looks up DICOM keywords in dcmjs, which brings 1 MB of dictionary, parsers and
 * adapters. It gets the same object with only the entries that its own tables name; what parses
 * files is absent, because the server sends DICOM JSON.
 */
async function smallDictionary() {
  const { default: dcmjs } = await import("dcmjs");
  const { nameMap, dictionary } = dcmjs.data.DicomMetaDictionary;
  const named = [...keywords()].filter((keyword) => Object.hasOwn(nameMap, keyword));
  const pick = (source, keys) => Object.fromEntries(keys.map((key) => [key, source[key]]));
  const tags = named.map((keyword) => nameMap[keyword].tag).filter((tag) => dictionary[tag]);
  const { constants } = await import("dcmjs");
  return `
    import log from "loglevel";
    const data = { DicomMetaDictionary: {
      nameMap: ${JSON.stringify(pick(nameMap, named))},
      dictionary: ${JSON.stringify(pick(dictionary, tags))},
    } };
    class Absent { constructor() { throw new Error("parsing files is not part of the viewer"); } }
    const utilities = { DicomMetadataListener: Absent };
    const constants = ${JSON.stringify(constants)};
    export { constants, data, log, utilities };
    export default { async: { AsyncDicomReader: Absent }, constants, data, log, utilities };
  `;
}

/** Every word of the library's own files that could be a keyword: its tables and its rules. */
function keywords() {
  const folder = dirname(resolve("@cornerstonejs/metadata"));
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
  const words = files.flatMap((name) =>
    readFileSync(join(folder, name), "utf8").match(/\b[A-Z][A-Za-z0-9]{2,}\b/g),
  );
  return new Set(words);
}

/** A Vite plugin: no WebGPU back end of vtk.js, and dcmjs without what is not used. */
export function lean() {
  return {
    name: "viewer-lean",
    enforce: "pre",
    resolveId(source, importer) {
      if (source === "dcmjs") return DICTIONARY;
      if (importer?.includes("@kitware/vtk.js") && source.includes("WebGPU/")) return NOTHING;
      return null;
    },
    transform(code, id) {
      if (!id.endsWith("/drawingSvg/drawTextBox.js")) return null;
      if (!code.includes(STYLE_ATTRIBUTE)) this.error("drawTextBox.js is another than it was");
      return code.replace(STYLE_ATTRIBUTE, "textElement.style.cssText = combinedStyle");
    },
    load(id) {
      if (id === NOTHING) return "export default {};";
      return id === DICTIONARY ? smallDictionary() : null;
    },
  };
}

/** Module paths that stand in for others, for `resolve.alias`. */
export const STAND_INS = [
  {
    find: "@kitware/vtk.js/Rendering/Core/ColorTransferFunction/ColorMaps.js",
    replacement: "@kitware/vtk.js/Rendering/Core/ColorTransferFunction/ColorMapsLite.js",
  },
];

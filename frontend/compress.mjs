// After the build: copies the files that pages link by a fixed name, and stores a brotli and a
// gzip twin beside every text and wasm file, so that the web server never compresses them itself.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("../static/build");
const SMALLEST_WORTH_IT = 1024;

/** Fixed names under static/build/vendor/, for style sheets that Vite does not process. */
const VENDOR = {
  "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
  "plex-sans.woff2":
    "@fontsource-variable/ibm-plex-sans/files/ibm-plex-sans-latin-wght-normal.woff2",
  "plex-sans-ext.woff2":
    "@fontsource-variable/ibm-plex-sans/files/ibm-plex-sans-latin-ext-wght-normal.woff2",
  "plex-mono.woff2": "@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2",
};

function copyVendor() {
  mkdirSync(join(out, "vendor"), { recursive: true });
  for (const [name, source] of Object.entries(VENDOR)) {
    const bytes = readFileSync(here(`node_modules/${source}`));
    // The source map is not copied, so the line that names it would point at nothing.
    const text = name.endsWith(".css") && String(bytes).replace(/\/\*# sourceMappingURL.*/, "");
    writeFileSync(join(out, "vendor", name), text || bytes);
  }
}

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

function brotli(bytes) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  };
  return promisify(brotliCompress)(bytes, { params });
}

async function compress(path) {
  const bytes = readFileSync(path);
  const [small, plain] = await Promise.all([brotli(bytes), promisify(gzip)(bytes, { level: 9 })]);
  writeFileSync(`${path}.br`, small);
  writeFileSync(`${path}.gz`, plain);
}

copyVendor();
const worth = [...files(out)].filter(
  (path) => /\.(js|css|wasm|svg)$/.test(path) && statSync(path).size >= SMALLEST_WORTH_IT,
);
await Promise.all(worth.map(compress));
process.stdout.write(`compressed ${worth.length} files\n`);

// After the build: all of Bootstrap's icons in one file that the template tag reads.
// A page that needs another icon then needs no other build.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = here("../node_modules/bootstrap-icons/icons");

const icons = {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".svg"))) {
  const svg = readFileSync(`${folder}/${file}`, "utf8");
  icons[file.slice(0, -4)] = svg.replace(/^[^>]*>\s*/, "").replace(/\s*<\/svg>\s*$/, "");
}
mkdirSync(here("../../static/build"), { recursive: true });
writeFileSync(here("../../static/build/icons.json"), JSON.stringify(icons));
process.stdout.write(`${Object.keys(icons).length} icons\n`);

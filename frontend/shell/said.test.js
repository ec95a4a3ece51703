import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const HERE = new URL(".", import.meta.url);
const TEMPLATES = new URL("../../templates/", import.meta.url);

function read(folder, ending) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ending) && !name.includes(".test."));
  return names.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
}

const scripts = read(HERE, ".js");
const keys = new Set([...read(TEMPLATES, ".html").matchAll(/data-said="([\w-]+)"/g)].map((found) => found[1]));

test("what a script says stands in a page", () => {
  const asked = [...scripts.matchAll(/\bsaid\(([^;]*?)[,)]/g)].flatMap((found) => [...found[1].matchAll(/"([\w-]+)"/g)]);
  assert.ok(asked.length > 12);
  for (const [, key] of asked) assert.ok(keys.has(key), `no page says ${key}`);
});

test("no page keeps what no script says", () => {
  assert.deepEqual([...keys].filter((key) => !scripts.includes(`"${key}"`)), []);
});

test("no script says a sentence of its own", () => {
  assert.doesNotMatch(scripts, /(?:textContent =|showWords\() ?["`][^"`]*[a-z]{3}/);
});

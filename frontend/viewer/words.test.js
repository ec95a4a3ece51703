import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { TABLE } from "./words.zh.js";

const HERE = new URL(".", import.meta.url);
const HOLES = /\{\w+\}/g;

function said() {
  const files = readdirSync(HERE, { recursive: true }).filter(
    (name) => name.endsWith(".js") && !name.includes(".test.") && !name.startsWith("words"),
  );
  const code = files.map((name) => readFileSync(new URL(name, HERE), "utf8")).join("\n");
  return [...code.matchAll(/\btr\(\s*"((?:[^"\\]|\\.)*)"/g)].map((found) => JSON.parse(`"${found[1]}"`));
}

test("every sentence of the viewer has its translation, with the same holes", () => {
  const sentences = said();
  assert.ok(sentences.length > 40);
  for (const sentence of sentences) {
    assert.ok(TABLE[sentence], `not translated: ${sentence}`);
    const [mine, theirs] = [sentence, TABLE[sentence]].map((text) => [...(text.match(HOLES) ?? [])].sort());
    assert.deepEqual(theirs, mine, sentence);
  }
});

test("nothing is written past the table", () => {
  const past = /(?:\bsay\(|textContent [=] |textContent: |"aria-label", )\s*(["`])(?=[^"`]*[a-z]{3})(?![^"`]*\$\{tr\()[A-Z ]/;
  const files = readdirSync(HERE).filter((name) => name.endsWith(".js") && !name.includes(".test."));
  const found = files.filter((name) => past.test(readFileSync(new URL(name, HERE), "utf8")));
  assert.deepEqual(found, []);
});

test("no translation is kept of what is said no more", () => {
  const sentences = new Set(said());
  assert.deepEqual(Object.keys(TABLE).filter((sentence) => !sentences.has(sentence)), []);
});

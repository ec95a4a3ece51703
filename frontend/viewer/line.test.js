import assert from "node:assert/strict";
import { test } from "node:test";

import { createLine } from "./line.js";

const quiet = { onRefused: () => undefined, onAway: () => undefined, onWeighed: () => undefined };
const LITTLE_ENDIAN = "1.2.840.10008.1.2.1";

function lineTo(answers) {
  const asked = [];
  globalThis.fetch = async (url, { headers }) => {
    asked.push(headers.Accept);
    return answers.shift();
  };
  return { asked, line: createLine({ ...quiet, signal: new AbortController().signal }) };
}

test("a frame that the server can't encode anew comes as it lies", async () => {
  const plain = new Response(new Uint8Array([1, 2]), { headers: { "Content-Type": "application/octet-stream" } });
  const { line, asked } = lineTo([new Response("", { status: 406 }), plain]);
  const got = await line.frame("wadors:/frames/1", { stored: LITTLE_ENDIAN });
  assert.deepEqual([...got.bytes], [1, 2]);
  assert.equal(got.syntax, LITTLE_ENDIAN);
  assert.match(asked[0], /image\/jphc/);
  assert.doesNotMatch(asked[1], /jphc/);
});

test("one that is refused as it lies is refused", async () => {
  const { line, asked } = lineTo([new Response("", { status: 406 })]);
  await assert.rejects(line.frame("wadors:/frames/1", { stored: "1.2.840.10008.1.2.4.50" }), { status: 406 });
  assert.equal(asked.length, 1);
});

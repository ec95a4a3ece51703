import assert from "node:assert/strict";
import { test } from "node:test";

import { entriesOf } from "./palette.js";

test("a colour table of 16-bit words and one of bytes are told apart by their length", () => {
  assert.deepEqual(entriesOf(Uint8Array.of(0, 1, 255, 255), 2), [256, 65535]);
  assert.deepEqual(entriesOf(Uint8Array.of(0, 1, 254, 255), 4), [0, 1, 254, 255]);
});

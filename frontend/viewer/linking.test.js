import assert from "node:assert/strict";
import { test } from "node:test";

import { nearest, offsetOf, partnerOf } from "./linking.js";

const THIN = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const THICK = [0, 3, 6];

test("the nearest slice of a thicker series is shown beside a thin one", () => {
  const offset = offsetOf({ at: 4, slice: 4, space: "1.2" }, { at: 0, slice: 0, space: "1.2" });
  assert.deepEqual(offset, { mm: 0 });
  assert.equal(partnerOf({ at: 5, slice: THIN[5] }, offset, THICK), 2);
  assert.equal(partnerOf({ at: 1, slice: THIN[1] }, offset, THICK), 0);
});

test("a study of another day keeps the difference that the reader set", () => {
  const offset = offsetOf({ at: 2, slice: 2, space: "1.2" }, { at: 1, slice: 103, space: "9.9" });
  assert.deepEqual(offset, { mm: 101 });
  assert.equal(partnerOf({ at: 5, slice: 5 }, offset, [100, 103, 106]), 2);
});

test("images without a place are linked by their number", () => {
  const offset = offsetOf({ at: 2, slice: null, space: "" }, { at: 5, slice: 8, space: "" });
  assert.equal(partnerOf({ at: 4, slice: null }, offset, [null, null, null, null]), 3);
  assert.equal(partnerOf({ at: -9, slice: null }, offset, [null, null]), 0);
});

test("no place, no partner", () => {
  assert.equal(nearest([null, null], 4), -1);
});

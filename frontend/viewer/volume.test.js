import assert from "node:assert/strict";
import { test } from "node:test";

import { whyNoVolume } from "./volume.js";

const slice = (z, more = {}) => ({
  instance: {
    "00200037": { vr: "DS", Value: [1, 0, 0, 0, 1, 0] },
    "00200032": { vr: "DS", Value: [0, 0, z] },
    "00280010": { vr: "US", Value: [512] },
    ...more,
  },
});

test("even slices make a volume, whatever order they come in", () => {
  assert.equal(whyNoVolume([0, 10, 2.5, 5, 7.5].map((z) => slice(z))), "");
});

test("a missing slice, two at one place, and too few do not", () => {
  assert.match(whyNoVolume([0, 2, 4, 8, 10].map((z) => slice(z))), /not evenly spaced/);
  assert.match(whyNoVolume([0, 2, 2, 4, 6].map((z) => slice(z))), /not evenly spaced/);
  assert.match(whyNoVolume([0, 2, 4].map((z) => slice(z))), /at least five/);
});

test("slices of two sizes or directions do not", () => {
  const odd = slice(8, { "00280010": { vr: "US", Value: [256] } });
  assert.match(whyNoVolume([...[0, 2, 4, 6].map((z) => slice(z)), odd]), /not all are of one size/);
  const tilted = slice(8, { "00200037": { vr: "DS", Value: [1, 0, 0, 0, 0, 1] } });
  assert.match(whyNoVolume([...[0, 2, 4, 6].map((z) => slice(z)), tilted]), /do not lie parallel/);
});

test("images without a place do not", () => {
  const bare = { instance: {} };
  assert.match(whyNoVolume([bare, bare, bare, bare, bare]), /where they lie/);
});

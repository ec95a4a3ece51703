import assert from "node:assert/strict";
import { test } from "node:test";

import {
  acceptFor,
  badgeWord,
  cineRate,
  edgeMarks,
  fileWindows,
  framesOf,
  lettersOf,
  loadWords,
  nearestFirst,
  presetsFor,
  pulseMeans,
  rangeOf,
  syntaxOf,
  whyNotShown,
  windowOf,
} from "./rules.js";

const text = (vr, ...values) => ({ vr, Value: values });
const AXIAL = { viewUp: [0, -1, 0], viewPlaneNormal: [0, 0, -1] };
const SAGITTAL = { viewUp: [0, 0, 1], viewPlaneNormal: [1, 0, 0] };

test("an axial slice has anterior above and the patient's left on the right", () => {
  const instance = { "00200037": text("DS", 1, 0, 0, 0, 1, 0) };
  assert.deepEqual(edgeMarks(instance, AXIAL), { top: "A", right: "L", bottom: "P", left: "R" });
});

test("a sagittal slice has the head above", () => {
  const instance = { "00200037": text("DS", 0, 1, 0, 0, 0, -1) };
  const marks = edgeMarks(instance, SAGITTAL);
  assert.equal(marks.top, "H");
  assert.equal(marks.right, "P");
});

test("an enhanced object's orientation is found in its functional groups", () => {
  const plane = { "00200037": text("DS", 1, 0, 0, 0, 1, 0) };
  const instance = { "52009229": text("SQ", { "00209116": text("SQ", plane) }) };
  assert.equal(edgeMarks(instance, AXIAL).right, "L");
});

test("a radiograph that is mirrored or turned takes its marks along", () => {
  const instance = { "00200020": text("CS", "L", "F") };
  const mirrored = { viewUp: [0, -1, 0], viewPlaneNormal: [0, 0, 1] };
  assert.deepEqual(edgeMarks(instance, mirrored), { top: "H", right: "R", bottom: "F", left: "L" });
  const turned = { viewUp: [-1, 0, 0], viewPlaneNormal: [0, 0, -1] };
  assert.deepEqual(edgeMarks(instance, turned), { top: "R", right: "H", bottom: "L", left: "F" });
});

test("a projection image takes its marks from patient orientation", () => {
  const instance = { "00200020": text("CS", "L", "F") };
  assert.deepEqual(edgeMarks(instance, AXIAL), { top: "H", right: "L", bottom: "F", left: "R" });
});

test("an image that says nothing about orientation gets no marks", () => {
  assert.equal(edgeMarks({}, AXIAL), null);
});

test("an oblique direction names its two strongest axes", () => {
  assert.equal(lettersOf([0.8, -0.6, 0]), "LA");
  assert.equal(lettersOf([0.99, 0.1, 0]), "L");
});

test("CT offers four windows and the file's own", () => {
  const names = presetsFor("CT", {}).map((each) => each.name);
  assert.deepEqual(names, ["Lung", "Soft tissue", "Bone", "Brain", "Default"]);
  assert.deepEqual(presetsFor("CT", {})[1], { name: "Soft tissue", center: 40, width: 400 });
});

test("other modalities offer what the file names", () => {
  const instance = {
    "00281050": text("DS", 2653, 2713),
    "00281051": text("DS", 900, 750),
    "00281055": text("LO", "NORMAL", "HARDER"),
  };
  assert.deepEqual(
    presetsFor("MG", instance).map((each) => each.name),
    ["Default", "HARDER"],
  );
});

test("a window without a width is none", () => {
  assert.deepEqual(fileWindows({ "00281050": text("DS", 40), "00281051": text("DS", 0) }), []);
});

test("a window and its range of values are the same thing (PS3.3 C.11.2.1.2)", () => {
  assert.deepEqual(rangeOf({ center: 40, width: 400 }), { lower: -160, upper: 239 });
  assert.deepEqual(windowOf(rangeOf({ center: -600, width: 1500 })), { center: -600, width: 1500 });
});

test("images load nearest first, the way the reader scrolls before the way back", () => {
  assert.deepEqual(nearestFirst(2, 6, 1), [2, 3, 1, 4, 0, 5]);
  assert.deepEqual(nearestFirst(2, 6, -1, 1), [2, 1, 3]);
  assert.deepEqual(nearestFirst(5, 0), []);
});

test("frames follow instance numbers, and every frame of an instance counts", () => {
  const instance = (uid, number, frames) => ({
    "00080018": text("UI", uid),
    "00200013": text("IS", number),
    "00280008": text("IS", frames),
    "00280010": text("US", 64),
  });
  const order = framesOf([instance("1.2", 2, 1), instance("1.1", 1, 2)]);
  assert.deepEqual(
    order.map((each) => `${each.sop}/${each.frame}`),
    ["1.1/1", "1.1/2", "1.2/1"],
  );
});

test("an object without rows is no image", () => {
  assert.deepEqual(framesOf([{ "00080018": text("UI", "1.1") }]), []);
});

test("the film runs at the file's own rate", () => {
  assert.equal(cineRate({ "00181063": text("DS", "33.3") }), 30);
  assert.equal(cineRate({ "00180040": text("IS", 15) }), 15);
  assert.equal(cineRate({}), 10);
});

test("a segmentation is said to be one and not drawn", () => {
  assert.equal(whyNotShown({ modality: "SEG", frames: 13 }), "a segmentation");
  assert.equal(whyNotShown({ modality: "OT", frames: 0 }), "an object without images");
  assert.equal(whyNotShown({ modality: "CT", frames: 40 }), "");
});

test("only 204 allows; a refusal ends, a redirect is a sign-out, a failure is not yet known", () => {
  assert.equal(pulseMeans({ type: "basic", status: 204 }), "allowed");
  assert.equal(pulseMeans({ type: "basic", status: 200 }), "ended");
  assert.equal(pulseMeans({ type: "basic", status: 404 }), "ended");
  assert.equal(pulseMeans({ type: "basic", status: 401 }), "signed-out");
  assert.equal(pulseMeans({ type: "opaqueredirect", status: 0 }), "signed-out");
  assert.equal(pulseMeans({ type: "basic", status: 503 }), "unknown");
});

test("plain pixels are asked for as HTJ2K, compressed ones as they are stored", () => {
  assert.match(acceptFor("1.2.840.10008.1.2.1"), /^image\/jphc; transfer-syntax=1\.2\.840\.10008\.1\.2\.4\.202,/);
  assert.match(acceptFor("1.2.840.10008.1.2.4.50"), /^application\/octet-stream; transfer-syntax=\*$/);
  assert.equal(syntaxOf('image/jphc; transfer-syntax="1.2.840.10008.1.2.4.202"'), "1.2.840.10008.1.2.4.202");
  assert.equal(syntaxOf(null), "1.2.840.10008.1.2.1");
});

test("while a series loads it says what came, what is to come and how long it takes", () => {
  const load = { here: 15, count: 60, weighed: 15, bytes: 3_000_000, perSecond: 500_000 };
  assert.equal(loadWords(load), "3 MB of about 12 MB, 18 s at your speed");
  assert.equal(loadWords({ ...load, perSecond: 50_000 }), "3 MB of about 12 MB, about 3 min at your speed");
  assert.equal(loadWords({ ...load, here: 60 }), "");
  assert.equal(loadWords({ ...load, weighed: 0 }), "");
});

test("a picture that lost something says so", () => {
  const lossy = { "00282110": text("CS", "01") };
  assert.equal(badgeWord(lossy), "Lossy");
  assert.equal(badgeWord({ "00282110": text("CS", "00") }), "");
});

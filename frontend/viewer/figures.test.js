import assert from "node:assert/strict";
import { test } from "node:test";

import { calibrationOf, shapeOf } from "./calibration.js";
import { angleOf, areaOf, cobbOf, figuresOf, linesOf, suvFactor } from "./figures.js";

const text = (vr, ...values) => ({ vr, Value: values });
const spaced = (down, across) => ({ "00280030": text("DS", down, across) });
const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < 1e-9, `${value} is not ${wanted}`);
const length = (instance, ...points) =>
  figuresOf({ kind: "length", points, instance, frame: 1 });

test("a length follows both spacings: 30 columns of 0.5 mm and 20 rows of 2 mm are 42.72 mm", () => {
  // Pixel Spacing names the distance between rows first (PS3.3 10.7.1.3).
  near(length(spaced(2, 0.5), [10, 10], [40, 30]).length, Math.sqrt(15 ** 2 + 40 ** 2));
});

test("an enhanced object is measured by the spacing of its own frame", () => {
  const measures = (down, across) => text("SQ", { "00289110": text("SQ", spaced(down, across)) });
  const instance = {
    "52009229": measures(1, 1),
    "52009230": text("SQ", {}, measures(3, 3).Value[0]),
  };
  near(calibrationOf(instance, 1).x, 1);
  near(calibrationOf(instance, 2).x, 3);
});

test("a radiograph is measured at the detector, and says so", () => {
  const instance = { "00080060": text("CS", "DX"), "00181164": text("DS", 0.2, 0.2) };
  const found = length(instance, [0, 0], [300, 400]);
  near(found.length, 100);
  assert.deepEqual(linesOf("length", found), ["100.0 mm at the detector"]);
});

test("a radiograph that was calibrated is measured by Pixel Spacing and not by the detector's", () => {
  const instance = { ...spaced(0.1, 0.1), "00181164": text("DS", 0.2, 0.2) };
  near(length(instance, [0, 0], [100, 0]).length, 10);
});

test("a mammogram's magnification is taken off", () => {
  const instance = {
    "00080060": text("CS", "MG"),
    "00181164": text("DS", 0.1, 0.1),
    "00181114": text("DS", 1.25),
  };
  near(length(instance, [0, 0], [100, 0]).length, 8);
});

const region = (left, top, right, bottom, x, y, units = 3) => ({
  "00186012": text("US", 1),
  "00186018": text("UL", left),
  "0018601A": text("UL", top),
  "0018601C": text("UL", right),
  "0018601E": text("UL", bottom),
  "00186024": text("US", units),
  "00186026": text("US", units),
  "0018602C": text("FD", x),
  "0018602E": text("FD", y),
});

test("ultrasound is measured by the region that holds both ends, and refused across two", () => {
  const instance = {
    "00186011": text("SQ", region(0, 0, 99, 99, 0.05, 0.05), region(100, 0, 199, 99, 0.02, 0.02)),
  };
  near(length(instance, [10, 10], [30, 10]).length, 10);
  near(length(instance, [110, 10], [130, 10]).length, 4);
  assert.match(length(instance, [90, 10], [110, 10]).refused, /one calibrated part/);
});

test("a trace of velocity over time has no lengths", () => {
  const instance = { "00186011": text("SQ", region(0, 0, 99, 99, 0.01, 2, 4)) };
  assert.match(length(instance, [1, 1], [9, 9]).refused, /does not say/);
});

test("an image without spacing refuses lengths with the reason, and still has angles", () => {
  assert.match(length({}, [0, 0], [5, 5]).refused, /does not say how large its pixels are/);
  const points = [[0, 10], [0, 0], [10, 0]];
  near(figuresOf({ kind: "angle", points, instance: {}, frame: 1 }).angle, 90);
});

test("scanned film is no size in the patient", () => {
  assert.match(calibrationOf({ "00182010": text("DS", 0.1, 0.1) }, 1).refused, /film/);
});

test("pixels that are not square bend angles: 45 degrees on screen are 63.4 in the patient", () => {
  const points = [[10, 10], [0, 0], [10, 0]];
  near(angleOf(points, { x: 1, y: 2 }), (Math.atan2(20, 10) * 180) / Math.PI);
  assert.deepEqual(shapeOf({ "00280034": text("IS", 2, 1) }, 1), { x: 1, y: 2 });
});

test("a Cobb angle is the same whichever way its lines were drawn", () => {
  const flat = [[0, 0], [10, 0]];
  const steep = [[0, 50], [10, 60]];
  near(cobbOf([...flat, ...steep], { x: 1, y: 1 }), 45);
  near(cobbOf([...flat, ...[...steep].reverse()], { x: 1, y: 1 }), 45);
});

test("the areas of an ellipse and of its box", () => {
  const points = [[0, 0], [20, 10]];
  near(areaOf("rectangle", points, { x: 0.5, y: 2 }), 200);
  near(areaOf("ellipse", points, { x: 0.5, y: 2 }), 50 * Math.PI);
});

const VALUES = [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23];
const READ = { columns: 4, rows: 3, unit: "HU", at: (place) => VALUES[place] };

test("a rectangle's statistics are of the pixels whose centres it holds", () => {
  const what = { kind: "rectangle", points: [[1, 0], [3, 2]], instance: spaced(1, 1), frame: 1 };
  const found = figuresOf({ ...what, read: READ });
  assert.deepEqual([found.count, found.mean, found.min, found.max], [4, 6.5, 1, 12]);
  near(found.sd, Math.sqrt((5.5 ** 2 + 4.5 ** 2 + 4.5 ** 2 + 5.5 ** 2) / 3));
  assert.equal(linesOf("rectangle", found)[0], "Mean 6.5 HU, SD 5.8");
});

test("a circle of ten pixels holds the centres of eighty", () => {
  const read = { columns: 10, rows: 10, unit: "", at: () => 1 };
  const what = { kind: "ellipse", points: [[0, 0], [10, 10]], instance: spaced(1, 1), frame: 1 };
  assert.equal(figuresOf({ ...what, read }).count, 80);
});

test("a probe outside the picture reads nothing", () => {
  const what = { kind: "probe", instance: {}, frame: 1, read: READ };
  assert.equal(figuresOf({ ...what, points: [[2.9, 1.2]] }).value, 12);
  assert.equal(figuresOf({ ...what, points: [[-1, 1]] }).value, undefined);
});

const PET = {
  "00541001": text("CS", "BQML"),
  "00541102": text("CS", "START"),
  "00280051": text("CS", "ATTN", "DECY"),
  "00101030": text("DS", 70),
  "00080021": text("DA", "20260102"),
  "00080031": text("TM", "110000"),
  "00540016": text("SQ", {
    "00181072": text("TM", "100000"),
    "00181074": text("DS", 370e6),
    "00181075": text("DS", 3600),
  }),
};

test("SUV by weight after one half-life: 70 kg, 370 MBq, twice the value of the moment", () => {
  near(suvFactor(PET), 70_000 / (370e6 / 2));
});

test("no SUV where a tag is missing or counts are corrected to another moment", () => {
  assert.equal(suvFactor({ ...PET, "00101030": text("DS") }), null);
  assert.equal(suvFactor({ ...PET, "00541102": text("CS", "ADMIN") }), null);
  assert.equal(suvFactor({ ...PET, "00541001": text("CS", "CNTS") }), null);
});

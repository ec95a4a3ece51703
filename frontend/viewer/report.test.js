import assert from "node:assert/strict";
import { test } from "node:test";

import { evidence, keyImages, presentationFor, reportHead, reportLines } from "./report.js";

const text = (...values) => ({ vr: "LO", Value: values });
const code = (name) => text({ "00080104": text(name) });
const item = (type, label, more = {}) => ({ "0040A040": text(type), "0040A043": code(label), ...more });
const image = (sop) => item("IMAGE", "Source", { "00081199": text({ "00081155": text(sop) }) });

const REPORT = item("CONTAINER", "Chest CT report", {
  "0040A491": text("PARTIAL"),
  "0040A493": text("UNVERIFIED"),
  "00080023": text("20261128"),
  "0040A730": text(
    item("CONTAINER", "Findings", {
      "0040A730": text(
        item("TEXT", "Finding", { "0040A160": text("A nodule.") }),
        item("NUM", "Length", {
          "0040A300": text({ "0040A30A": text(12.5), "004008EA": text({ "00080100": text("mm") }) }),
        }),
        item("PNAME", "Read by", { "0040A123": text({ Alphabetic: "Brandt^Ada" }) }),
        image("1.2.3"),
      ),
    }),
  ),
});

test("a report is read in its order, with headings, values and their units", () => {
  const said = reportLines(REPORT).map(({ level, kind, label, text: words }) => [level, kind, label, words]);
  assert.deepEqual(said, [
    [1, "heading", "Findings", ""],
    [2, "line", "Finding", "A nodule."],
    [2, "line", "Length", "12.5 mm"],
    [2, "line", "Read by", "Brandt Ada"],
    [2, "image", "Source", ""],
  ]);
});

test("a report says whether it is complete and verified", () => {
  const head = reportHead(REPORT);
  assert.deepEqual(
    [head.title, head.date, head.state, head.verified],
    ["Chest CT report", "2026-11-28", "Not complete", "Not verified"],
  );
});

test("key images are found with the series that holds them", () => {
  const series = { "0020000E": text("1.9"), "00081199": text({ "00081155": text("1.2.3") }) };
  const note = { ...REPORT, "0040A375": text({ "00081115": text(series) }) };
  assert.deepEqual(keyImages(note), [{ sop: "1.2.3", frame: 1 }]);
  assert.equal(evidence(note).get("1.2.3"), "1.9");
});

test("a presentation state speaks for the images that it names, and for no other", () => {
  const named = { "00081140": text({ "00081155": text("1.2.3") }) };
  const line = {
    "00700023": text("POLYLINE"),
    "00700005": text("PIXEL"),
    "00700022": text(10, 20, 30, 40),
  };
  const state = {
    "00283110": text({ ...named, "00281050": text(40), "00281051": text(400) }),
    "00700001": text({ ...named, "00700009": text(line) }),
    "20500020": text("INVERSE"),
    "00700042": text(90),
  };
  const mine = presentationFor(state, { sop: "1.2.3", frame: 1 });
  assert.deepEqual(mine.window, { center: 40, width: 400 });
  assert.deepEqual(mine.graphics[0].points, [[10, 20], [30, 40]]);
  assert.deepEqual([mine.inverted, mine.turned, mine.mirrored], [true, 90, false]);
  const other = presentationFor(state, { sop: "9", frame: 1 });
  assert.deepEqual([other.window, other.graphics], [null, []]);
});

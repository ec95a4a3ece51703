// What holds no picture: structured reports as text, key images as a list, documents and the rest by
// name, with a download where it is permitted. Key images are marked when they are on screen.
import { evidence, keyImages, reportHead, reportLines } from "./report.js";
import { values } from "./rules.js";
import { tr } from "./words.js";

const PDF = "1.2.840.10008.5.1.4.1.1.104.1";
const REPORTS = ["SR", "KO"];

function element(tag, { className = "", text = "", ...rest } = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return Object.assign(made, rest);
}

const sopOf = (instance) => String(values(instance, "00080018")[0]);

/** A button that opens the image that a report points to. */
function imageButton(label, image, places) {
  const button = element("button", { type: "button", className: "vbtn small", text: label });
  button.dataset.do = "image";
  button.dataset.arg = JSON.stringify({ ...image, series: places.get(image.sop) ?? "" });
  return button;
}

function lineElement(line, places) {
  if (line.kind === "heading") return element("h3", { text: line.label });
  const made = element("p");
  if (line.kind === "image") {
    made.append(imageButton(line.label ? tr("Show image: {label}", line) : tr("Show image"), line.image, places));
    return made;
  }
  if (line.label) made.append(element("b", { text: `${line.label}: ` }));
  made.append(line.text);
  return made;
}

function reportElement(instance) {
  const head = reportHead(instance);
  const places = evidence(instance);
  const sheet = element("article");
  const facts = [head.date, head.verified, head.by, head.state].filter(Boolean).join(" · ");
  sheet.append(element("h2", { text: head.title }), element("p", { className: "mute", text: facts }));
  for (const line of reportLines(instance)) {
    const made = lineElement(line, places);
    made.dataset.level = String(Math.min(line.level, 6));
    sheet.append(made);
  }
  return sheet;
}

function link(text, href) {
  return element("a", { className: "btn-quiet", text, href, download: "" });
}

/** One object that is no report: what it is, and how to have it. */
function objectElement(instance, { base, may, what }) {
  const sheet = element("article");
  const isPdf = values(instance, "00080016")[0] === PDF;
  const title = String(values(instance, "00420010")[0] ?? values(instance, "0008103E")[0] ?? "");
  sheet.append(element("h2", { text: title || tr("This is {what}", { what }) }));
  const url = `${base}/instances/${sopOf(instance)}`;
  if (isPdf && may.documents) {
    sheet.append(element("p", { text: tr("A document. Your browser saves it as a PDF.") }));
    sheet.append(link(tr("Open the document"), `${url}/rendered?accept=application/pdf`));
  } else {
    const unseen = tr("This viewer can't show it.");
    const why = isPdf ? tr("This document can't carry your name, so it is not shown.") : unseen;
    const lookOnly = `${why} ${tr("You may look at this study but not download it.")}`;
    sheet.append(element("p", { text: may.download ? unseen : lookOnly }));
    if (may.download) sheet.append(link(tr("Download as DICOM"), `${url}?accept=application/dicom;transfer-syntax=*`));
  }
  return sheet;
}

/** A presentation state: its name, and the images that it shows, each as its author saw it. */
function presentationElement(viewer, instance) {
  const sheet = element("article");
  const title = String(values(instance, "00700081")[0] ?? values(instance, "00700080")[0] ?? "");
  sheet.append(element("h2", { text: title || tr("Presentation state") }));
  const about = tr("Images as somebody marked or windowed them.");
  sheet.append(element("p", { className: "mute", text: about }));
  for (const [sop, series] of evidence(instance)) {
    const name = `${sopOf(instance)}/${sop}`;
    viewer.presentations.set(name, { instance, image: { sop, series, frame: 1 } });
    const button = element("button", { type: "button", className: "vbtn small" });
    button.textContent = tr("Show as presented");
    Object.assign(button.dataset, { do: "presented", arg: name });
    const line = element("p");
    line.append(button);
    sheet.append(line);
  }
  return sheet;
}

function sheetsOf(viewer, reader, instances, what) {
  const { root, study, may } = viewer.data;
  const base = `${root}/studies/${study.uid}/series/${reader.series.uid}`;
  return instances.map((instance) => {
    const modality = String(values(instance, "00080060")[0]);
    const isReport = REPORTS.includes(modality);
    if (modality === "PR") return presentationElement(viewer, instance);
    return isReport ? reportElement(instance) : objectElement(instance, { base, may, what });
  });
}

async function show(viewer, reader, what) {
  const { series } = reader;
  const instances = await viewer.instancesFor(series);
  if (reader.series !== series || viewer.fence.isOver()) return;
  reader.overlays.notice("");
  reader.overlays.paper(sheetsOf(viewer, reader, instances, what));
}

/** The key images of the study: frames that a selection names. */
async function keysOf(viewer) {
  const found = new Set();
  for (const series of viewer.data.series.filter((each) => each.modality === "KO")) {
    for (const instance of await viewer.instancesFor(series)) {
      for (const { sop } of keyImages(instance)) found.add(sop);
    }
  }
  return found;
}

export async function start(viewer) {
  const shown = (reader) => {
    const what = reader.unshown;
    const failed = () => reader.overlays.notice(tr("This is {what}. It could not be loaded.", { what }));
    if (what) show(viewer, reader, what).catch(failed);
  };
  viewer.events.on("unshown", shown);
  shown(viewer.reader());
  const keys = await keysOf(viewer).catch(() => new Set());
  const mark = (reader) => {
    const { frames, at } = reader.seen();
    reader.overlays.key(keys.has(frames[at].sop));
  };
  if (!keys.size) return;
  viewer.events.on("image", mark);
  if (viewer.reader().isLive) mark(viewer.reader());
}

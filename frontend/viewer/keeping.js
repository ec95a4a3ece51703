// Notes that last: measurements and key images are kept as DICOM of the reader's organization, and
// those that the reader may see are shown again.

import { write } from "./overlays.js"; // a piece that took words.js alone would make it a request more
import { dated, tr } from "./words.js";

const FIGURES = ["mean", "sd", "min", "max", "value"];

function day(text) {
  return dated(new Date(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6))));
}

/** Starts the feature. */
export async function start(viewer) {
  const { commands, data, events, fence, measuring } = viewer;
  let why = "";
  let notes = [];
  const shown = new Set();
  const mine = new Map();
  let sending = false;

  const place = (each) => `${each.sop}/${each.frame}`;
  const keptKeys = () => new Map(notes.flatMap((n) => n.keys.map((key) => [place(key), n])));

  function here() {
    const { frames, isLive, pane } = viewer.reader();
    return isLive ? frames[pane.at()] : null;
  }

  /** Draws what is noted on the images of a series, once they are known. */
  async function restore(reader) {
    const byPlace = new Map(reader.frames.map((each) => [place(each), each.imageId]));
    const wanted = notes.flatMap((note) =>
      note.measures.map((each, at) => ({ ...each, note, uid: `${note.sop}-${at}` })),
    );
    const due = wanted.filter((each) => byPlace.has(place(each)) && !shown.has(each.uid));
    if (!due.length) return;
    const tools = await measuring.open();
    if (fence.isOver() || !tools) return;
    for (const each of due) {
      if (shown.has(each.uid)) continue;
      shown.add(each.uid);
      measuring.keep(each.uid, `${each.note.mark} ${each.note.author}, ${day(each.note.day)}`);
      tools.restore({ ...each, imageId: byPlace.get(place(each)) });
    }
    measuring.list();
  }

  const unkept = () => measuring.listed().filter((each) => !measuring.isKept(each.uid));

  /** The section beside the picture: what is there, and whether something waits to be kept. */
  function tell() {
    const waiting = unkept().length + mine.size;
    const any = measuring.listed().length + mine.size + keptKeys().size;
    for (const section of document.querySelectorAll("[data-notes]")) {
      section.hidden = !any;
      section.querySelector('[data-list="keys"]').replaceChildren(...keyRows());
      const button = section.querySelector("[data-keep]");
      button.hidden = !waiting || Boolean(why);
      button.disabled = sending;
      write(button, sending ? tr("Keeping") : tr("Keep {count} for your organization", { count: waiting }));
      const words = section.querySelector("[data-why]");
      words.hidden = !waiting || !why;
      write(words, why);
    }
    mark();
    viewer.setState({ unkept: waiting, keys: mine.size + keptKeys().size });
  }

  function mark() {
    const now = here();
    const is = Boolean(now && (mine.has(place(now)) || keptKeys().has(place(now))));
    for (const button of document.querySelectorAll('[data-do="key"]')) {
      button.setAttribute("aria-pressed", String(is));
    }
  }

  function keyRows() {
    const rows = [...mine.entries()].map(([key, each]) => [key, each.imageId, ""]);
    for (const [key, note] of keptKeys()) {
      if (!mine.has(key)) rows.push([key, imageOf(key), `${note.mark} ${note.author}, ${day(note.day)}`]);
    }
    return rows.map(keyRow);
  }

  function imageOf(key) {
    return viewer.reader().frames.find((each) => place(each) === key)?.imageId;
  }

  function keyRow([key, imageId, by]) {
    const line = document.createElement("li");
    const go = document.createElement("button");
    const at = viewer.reader().frames.findIndex((each) => place(each) === key);
    go.type = "button";
    go.className = "measure";
    go.disabled = !imageId;
    Object.assign(go.dataset, { do: "goKey", arg: imageId ?? "" });
    write(go, at >= 0 ? tr("Key image {number}", { number: at + 1 }) : tr("Key image of another series"));
    line.append(go);
    if (by) line.append(Object.assign(document.createElement("span"), { className: "mute tiny", textContent: by }));
    return line;
  }

  function key() {
    const now = here();
    if (!now) return;
    if (keptKeys().has(place(now))) return measuring.say(tr("This image is kept as a key image already."));
    if (!mine.delete(place(now))) mine.set(place(now), now);
    return tell();
  }

  function asSent(each) {
    const read = Object.entries(each.figures).filter(([name, n]) => FIGURES.includes(name) && Number.isFinite(n));
    const { kind, sop, frame, points, label } = each;
    return { kind, sop, frame, points, label, figures: Object.fromEntries(read), unit: each.figures.unit ?? "" };
  }

  async function keep() {
    const measures = unkept();
    const keys = [...mine.values()];
    if (sending || why || !(measures.length + keys.length)) return;
    sending = true;
    tell();
    try {
      await post({
        measures: measures.map(asSent),
        keys: keys.map(({ sop, frame }) => ({ sop, frame })),
      });
      for (const each of measures) measuring.keep(each.uid, tr("Kept just now"));
      for (const each of keys) notes.push({ measures: [], keys: [each], mark: "", author: tr("You"), day: today() });
      mine.clear();
      measuring.say(tr("Kept for your organization. The patient can read that you did."));
    } catch {
      measuring.say(tr("Not kept. What you drew is still here: try again."));
    } finally {
      sending = false;
      if (!fence.isOver()) measuring.list();
    }
  }

  async function post(body) {
    const answer = await fetch(data.notes, {
      method: "POST",
      signal: viewer.leaving,
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
      },
      body: JSON.stringify(body),
    });
    if (answer.status === 201) return;
    fence.report(answer.status);
    throw new Error(`not kept: ${answer.status}`);
  }

  const today = () => new Date().toISOString().slice(0, 10).replaceAll("-", "");

  events.on("measures", tell);
  events.on("image", mark);
  events.on("live", (reader) => restore(reader).catch(() => undefined));
  events.on("blank", () => {
    notes = [];
    mine.clear();
  });
  commands.add({ key, keep, goKey: (imageId) => imageId && measuring.show(imageId) });
  commands.bind({ k: ["key"] });

  const answer = await fetch(data.notes, { signal: viewer.leaving });
  if (!answer.ok) return fence.report(answer.status);
  ({ notes, why } = await answer.json());
  tell();
  if (viewer.reader().isLive) await restore(viewer.reader());
  viewer.setState({ notes: notes.length });
  return undefined;
}


// Measuring: buttons, keys, the list beside the picture. The tools themselves come when wanted.
import { calibrationOf } from "./calibration.js";
import { KINDS } from "./figures.js";
import { tr } from "./words.js";

const NEEDS_SIZE = new Set(["length", "bidirectional"]);
const SAID_FOR_MS = 6000;

const byId = (id) => document.getElementById(id);

function make(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  const { dataset, ...rest } = facts;
  Object.assign(element, rest);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

/** A sentence that comes and goes at the lower edge, also for those who listen. */
export function say(text) {
  const place = byId("say");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
  clearTimeout(say.timer);
  if (text) say.timer = setTimeout(() => say(""), SAID_FOR_MS);
}

/** Starts the feature; `viewer.measuring` is what others may use of it. */
export function start(viewer) {
  const { commands, events, fence } = viewer;
  let tools = null;
  let fetching = null;
  let asking = null;

  function askText(done) {
    const sheet = byId("note-text");
    asking = done;
    byId("note-words").value = "";
    sheet.showModal();
    byId("note-words").focus();
  }

  function answer(text) {
    const done = asking;
    asking = null;
    byId("note-text").close();
    done?.(text);
  }

  async function open() {
    if (tools) return tools;
    fetching ??= import("./instruments.js");
    const { openInstruments } = await fetching;
    if (fence.isOver() || tools) return tools;
    tools = openInstruments({ askText, onChange });
    for (const reader of viewer.readers()) tools.join(reader.pane);
    return tools;
  }

  function onChange(what, measure) {
    if (fence.isOver()) return;
    if (what === "completed" && measure?.figures.refused) {
      say(measure.figures.refused);
      tools.remove(measure.uid);
      return;
    }
    if (what === "completed" && measure) say(`${KINDS[measure.kind]()}, ${measure.lines.join(", ")}`);
    list();
  }

  const listed = () => (tools ? tools.list() : []);

  /** The list, in every place that shows it. */
  function list() {
    const all = listed();
    for (const place of document.querySelectorAll('[data-list="measures"]')) {
      place.replaceChildren(...all.map(row));
    }
    viewer.setState({ measured: all.length });
    events.tell("measures", all);
  }

  function row(measure, at) {
    const frame = viewer.reader().frames.findIndex((each) => each.imageId === measure.imageId);
    const where = frame >= 0 ? tr("image {number}", { number: frame + 1 }) : tr("another series");
    const name = measure.kind === "arrow" ? measure.label : KINDS[measure.kind]();
    const go = make("button", {
      type: "button",
      className: "measure",
      dataset: { do: "measure", arg: measure.uid },
    });
    const figure = make("span", { className: "figure", textContent: measure.lines[0] ?? "" });
    go.append(
      make("span", { textContent: `${at + 1} · ${name}, ${where}` }),
      ...(measure.kind === "arrow" ? [] : [figure]),
    );
    const kept = keptBy(measure.uid);
    const remove = make("button", {
      type: "button",
      className: "vbtn bare",
      textContent: "×",
      dataset: { do: "removeMeasure", arg: measure.uid },
    });
    remove.setAttribute("aria-label", tr("Remove {name}", { name }));
    const line = make("li", {}, go);
    if (kept) line.append(make("span", { className: "mute tiny", textContent: kept }));
    else line.append(remove);
    return line;
  }

  /** Goes to an image, of another series too. */
  function show(imageId) {
    const reader = viewer.reader();
    const at = () => reader.frames.findIndex((each) => each.imageId === imageId);
    if (at() >= 0) return reader.goTo(at());
    const [, series] = /\/series\/([^/]+)\//.exec(imageId) ?? [];
    wantedImage = () => at() >= 0 && reader.goTo(at());
    return commands.run("series", series);
  }
  let wantedImage = null;

  const kept = new Map();
  const keptBy = (uid) => kept.get(uid);

  function refusal(kind) {
    if (!NEEDS_SIZE.has(kind)) return "";
    const { frames, pane } = viewer.reader();
    const at = frames[pane.at()];
    return calibrationOf(at.instance, at.frame).refused ?? "";
  }

  async function choose(kind) {
    if (!viewer.reader().isLive) return;
    const why = refusal(kind);
    if (why) {
      say(why);
      return;
    }
    try {
      await open();
    } catch {
      say(tr("The measuring tools could not be loaded. Try again."));
      fetching = null;
      return;
    }
    if (!tools) return;
    tools.choose(kind);
    commands.run("tool", kind);
    say(HINTS[kind]?.() ?? "");
  }

  events.on("tool", (name) => {
    if (tools && !(name in KINDS) && name !== "magnify") tools.choose(null);
  });
  events.on("series", () => tools && list());
  events.on("live", (reader) => {
    if (tools && reader.pane) tools.join(reader.pane, { isNew: true });
    wantedImage?.();
    wantedImage = null;
    list();
  });
  events.on("closing", (reader) => tools?.leave(reader.pane));
  events.on("blank", () => tools?.close());

  commands.add({
    measureBy: choose,
    magnify: () => choose("magnify"),
    measure(uid) {
      const found = listed().find((each) => each.uid === uid);
      if (found) show(found.imageId);
    },
    removeMeasure(uid) {
      if (!kept.has(uid)) tools?.remove(uid);
    },
    removeSelected() {
      for (const uid of tools?.selected() ?? []) if (!kept.has(uid)) tools.remove(uid);
    },
    noteText: answer,
  });
  commands.bind({
    l: ["measureBy", "length"],
    a: ["measureBy", "angle"],
    b: ["measureBy", "bidirectional"],
    e: ["measureBy", "ellipse"],
    n: ["measureBy", "arrow"],
    q: ["measureBy", "probe"],
    m: ["magnify"],
    Delete: ["removeSelected"],
  });
  byId("note-form").addEventListener("submit", (event) => {
    event.preventDefault();
    answer(byId("note-words").value.trim());
  });
  byId("note-text").addEventListener("cancel", () => answer(""));

  viewer.measuring = {
    open,
    listed,
    list,
    say,
    show,
    /** This one is somebody's record now: shown with their name, and not removed here. */
    keep(uid, by) {
      kept.set(uid, by);
    },
    isKept: (uid) => kept.has(uid),
  };
}

const HINTS = {
  angle: () => tr("Draw one side, then press where the other side ends."),
  cobb: () => tr("Draw one line, then the other."),
  bidirectional: () => tr("Draw the longer axis; the shorter follows and can be moved."),
  arrow: () => tr("Draw from the finding outward, then write the note."),
  magnify: () => tr("Hold to magnify."),
};

// Two or four panes, earlier studies beside the open one, scrolling together, reference lines.
// Two patients never meet: an earlier study is asked of the server, which knows whose it is.
import { startFence } from "./fence.js";
import { offsetOf, partnerOf } from "./linking.js";
import { seriesName } from "./overlays.js";
import { values, whyNotShown } from "./rules.js";
import { dated, tr } from "./words.js";

const LAYOUTS = ["1", "2", "4"];
const byId = (id) => document.getElementById(id);

function day(text) {
  if (!text) return "";
  return dated(new Date(`${text}T00:00:00`));
}

function make(tag, facts, ...children) {
  const element = Object.assign(document.createElement(tag), facts);
  element.append(...children);
  return element;
}

/** Starts the feature. */
export async function start(viewer) {
  const { commands, data, engine, events, fence, measuring } = viewer;
  const grid = byId("panes");
  const panes = [{ reader: viewer.reader(), prior: null }];
  let earlier = [];
  let link = null;
  let lines = false;

  const paneOf = (reader) => panes.find((each) => each.reader === reader);

  /** Whose images a pane shows: in every layout, on every pane. */
  function own(pane) {
    const { element } = pane.reader;
    const owner = element.querySelector('[data-part="owner"]');
    if (!owner) return;
    const { prior } = pane;
    owner.hidden = !prior;
    for (const each of element.querySelectorAll('[data-part="here"]')) each.hidden = Boolean(prior);
    element.dataset.whose = (prior ?? data).own ? "own" : "other";
    if (!prior) return;
    element.querySelector('[data-part="owner-mark"]').textContent = prior.mark;
    element.querySelector('[data-part="owner-name"]').textContent = prior.custodian;
    element.querySelector('[data-part="owner-day"]').textContent = `${prior.title}, ${day(prior.day)}`;
    stamp(element, prior.watermark);
  }

  /** The mark that an earlier study asks for, over its own images. */
  function stamp(element, words) {
    const held = element.querySelector(".stamp");
    if (!words || held) return;
    const made = byId("stamp-template").content.firstElementChild.cloneNode(true);
    const id = `stamp-${panes.length}-${Date.now()}`;
    made.querySelector("pattern").id = id;
    made.querySelector("rect").setAttribute("fill", `url(#${id})`);
    for (const text of made.querySelectorAll("text")) text.textContent = words;
    element.append(made);
  }

  function addPane() {
    const element = byId("pane-template").content.firstElementChild.cloneNode(true);
    for (const each of element.querySelectorAll("[id]")) each.removeAttribute("id");
    element.querySelector(".cine")?.remove();
    grid.append(element);
    const reader = viewer.openReader(element);
    const pane = { reader, prior: null };
    panes.push(pane);
    own(pane);
    element.addEventListener("pointerdown", () => activate(reader), { capture: true });
    return pane;
  }

  function activate(reader) {
    for (const each of panes) each.reader.element.toggleAttribute("data-active", each.reader === reader);
    viewer.activate(reader);
    if (lines) measuring.open().then((tools) => tools?.referenceLines(reader.pane.viewportId));
  }

  function dropPane(pane) {
    panes.splice(panes.indexOf(pane), 1);
    pane.fence?.stop();
    events.tell("closing", pane.reader);
    viewer.closeReader(pane.reader);
    pane.reader.element.remove();
  }

  /** Shows so many panes; new ones begin with the series that follow. */
  function layout(count) {
    const wanted = Number(count);
    link = null;
    activate(panes[0].reader);
    while (panes.length > wanted) dropPane(panes.at(-1));
    const shown = new Set(panes.map((each) => each.reader.series?.uid));
    const rest = data.series.filter((each) => !whyNotShown(each) && !shown.has(each.uid));
    while (panes.length < wanted) {
      const pane = addPane();
      const next = rest.shift() ?? panes[0].reader.series;
      if (next) pane.reader.open(next);
    }
    told();
  }

  function told() {
    grid.dataset.layout = String(panes.length);
    for (const pane of panes) own(pane);
    for (const button of document.querySelectorAll('[data-do="layout"]')) {
      button.setAttribute("aria-pressed", String(button.dataset.arg === String(panes.length)));
    }
    mark("link", Boolean(link));
    mark("lines", lines);
    mark("compare", panes.some((each) => each.prior));
    showEarlier();
    viewer.setState({ panes: panes.length, linked: Boolean(link), beside: panes.find((p) => p.prior)?.prior.id ?? "" });
  }

  function mark(name, on) {
    for (const button of document.querySelectorAll(`[data-do="${name}"]`)) {
      button.setAttribute("aria-pressed", String(on));
    }
  }

  async function openEarlier(id) {
    if (byId("compare").open) byId("compare").close();
    if (panes.some((each) => each.prior?.id === id)) return layout(1);
    const answer = await fetch(`${data.earlier.replace(/earlier$/, "beside/")}${id}`, { signal: viewer.leaving });
    if (!answer.ok) {
      fence.report(answer.status);
      return measuring.say(tr("That study can't be opened now."));
    }
    const prior = await answer.json();
    if (fence.isOver()) return undefined;
    layout(1);
    const pane = addPane();
    pane.prior = prior;
    watch(pane);
    const place = { root: prior.root, study: prior.study.uid };
    prior.series = prior.series.map((each) => ({ ...each, place }));
    offer(pane);
    const first = alike(prior) ?? prior.series.find((each) => each.uid === prior.first);
    told();
    if (first) await pane.reader.open(first);
    return undefined;
  }

  /** The series of an earlier study that is most like the one on screen. */
  function alike(prior) {
    const now = panes[0].reader.series;
    const shown = prior.series.filter((each) => !whyNotShown(each) && each.modality === now?.modality);
    const named = shown.find((each) => each.description && each.description === now?.description);
    return named ?? shown.sort((a, b) => b.frames - a.frames)[0];
  }

  /** The series of an earlier study, to choose from on its own pane. */
  function offer(pane) {
    const pick = pane.reader.element.querySelector('[data-part="pick"]');
    pick.replaceChildren(
      ...pane.prior.series.map((each) => make("option", { value: each.uid, textContent: seriesName(each) })),
    );
    pick.hidden = pane.prior.series.length < 2;
    pick.addEventListener("change", () => {
      pane.reader.open(pane.prior.series.find((each) => each.uid === pick.value));
    });
    events.on("series", (reader) => {
      if (reader === pane.reader && reader.series) pick.value = reader.series.uid;
    });
  }

  /** The right to see an earlier study is its own: when it ends, its pane empties. */
  function watch(pane) {
    pane.fence = startFence({
      url: pane.prior.pulse,
      onLine: () => undefined,
      onBlank: (words) => {
        if (!panes.includes(pane) || fence.isOver()) return;
        engine.forget(pane.reader.frames.map((each) => each.imageId));
        dropPane(pane);
        earlier = earlier.filter((each) => each.id !== pane.prior.id);
        link = null;
        activate(panes[0].reader);
        told();
        measuring.say(words);
      },
    });
  }

  function showEarlier() {
    for (const place of document.querySelectorAll("[data-earlier]")) {
      place.replaceChildren(...earlier.map(earlierButton));
    }
    byId("earlier").hidden = !earlier.length;
    for (const button of document.querySelectorAll('[data-do="compare"]')) button.disabled = !earlier.length;
  }

  function earlierButton(each) {
    const button = make("button", { type: "button", className: "prior" });
    Object.assign(button.dataset, { do: "beside", arg: each.id });
    if (panes.some((pane) => pane.prior?.id === each.id)) button.setAttribute("aria-current", "true");
    const picture = each.thumbnail
      ? make("img", { src: each.thumbnail, alt: "", width: 46, height: 46, loading: "lazy" })
      : make("span", { className: "none" });
    const facts = make("span", { className: "mute", textContent: `${day(each.day)} · ${each.mark}` });
    facts.title = each.custodian;
    const name = make("b", { textContent: each.title });
    const about = make("span", {}, name, make("br", {}), facts);
    if (each.proposed) about.append(make("span", { className: "hint", textContent: ` · ${tr("compare")}` }));
    button.append(picture, about);
    return button;
  }

  const placeOf = ({ pane, frames }) => {
    const at = pane.at();
    const space = String(values(frames[at]?.instance, "00200052")[0] ?? "");
    return { at, slice: frames[at] ? pane.slice(frames[at].imageId) : null, space };
  };

  function linkPanes() {
    const live = panes.filter((each) => each.reader.isLive);
    if (link || live.length < 2) link = null;
    else link = new Map(live.map((each) => [each.reader, placeOf(each.reader)]));
    if (!link && live.length < 2) measuring.say(tr("Open a second picture first: Compare, or two panes."));
    told();
  }

  function follow(reader) {
    if (!link || reader !== viewer.reader() || !link.has(reader)) return;
    const now = placeOf(reader);
    for (const { reader: other } of panes) {
      if (other === reader || !other.isLive || !link.has(other)) continue;
      const offset = offsetOf(link.get(reader), link.get(other));
      const slices = other.frames.map((each) => other.pane.slice(each.imageId));
      const next = partnerOf(now, offset, slices);
      if (next >= 0) other.goTo(next);
    }
  }

  async function referenceLines() {
    lines = !lines;
    const tools = await measuring.open();
    tools?.referenceLines(lines ? viewer.reader().pane.viewportId : null);
    told();
  }

  function compare() {
    if (!earlier.length) return measuring.say(tr("There is no earlier study that you may see."));
    if (panes.some((each) => each.prior)) return layout(1);
    const proposed = earlier.find((each) => each.proposed);
    if (proposed) return openEarlier(proposed.id);
    return byId("compare").showModal();
  }

  function otherPane() {
    const at = panes.indexOf(paneOf(viewer.reader()));
    activate(panes[(at + 1) % panes.length].reader);
  }

  panes[0].reader.element.addEventListener("pointerdown", () => activate(panes[0].reader), { capture: true });
  events.on("image", follow);
  events.on("live", (reader) => {
    if (link && !link.has(reader)) link = null;
  });
  events.on("series", (reader) => {
    const pane = paneOf(reader);
    // The rail holds the open study's series: a pane that takes one shows the open study again.
    if (pane?.prior && !pane.prior.series.includes(reader.series)) {
      pane.prior = null;
      pane.fence?.stop();
      pane.reader.element.querySelector('[data-part="pick"]').hidden = true;
    }
    if (pane) told();
  });
  events.on("blank", () => {
    for (const each of panes) each.fence?.stop();
    earlier = [];
  });
  commands.add({
    layout,
    nextLayout: () => layout(LAYOUTS[(LAYOUTS.indexOf(String(panes.length)) + 1) % LAYOUTS.length]),
    compare,
    beside: openEarlier,
    chooseEarlier: () => byId("compare").showModal(),
    link: linkPanes,
    lines: referenceLines,
    otherPane,
  });
  commands.bind({ d: ["compare"], g: ["nextLayout"], o: ["otherPane"], j: ["link"], x: ["lines"] });

  const answer = await fetch(data.earlier, { signal: viewer.leaving });
  if (!answer.ok) return fence.report(answer.status);
  earlier = (await answer.json()).studies;
  told();
  return undefined;
}

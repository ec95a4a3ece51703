// What the page shows of an upload: a row per file, the whole, problems in words, the receipt.
import { said } from "./said.js";

const RECEIPT_EVERY = 1000;
const UNITS = ["B", "kB", "MB", "GB"];

function size(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

const written = (number) => number.toLocaleString("en");

/** Why sending stopped, in words, and what to do. */
function reason(status) {
  if (status === 401 || status === 403) return said("session-over");
  if (status === 413) return said("too-large");
  if (status === 507) return said("no-space");
  if (status >= 400 && status < 500) return said("not-accepted");
  return said(status >= 500 ? "portal-problem" : "connection-lost");
}

export class Tray {
  constructor(form) {
    this.form = form;
    this.part = (name) => form.querySelector(`[data-part="${name}"]`);
    this.rows = new Map();
    this.spokenTenth = 0;
  }

  /** A new batch: the rows of the one before go, its receipt stays until the next one comes. */
  startOver() {
    this.part("files").replaceChildren();
    this.rows.clear();
    this.spokenTenth = 0;
  }

  addRow(file) {
    this.form.querySelector("[data-part=sheet]").hidden = false;
    const row = this.form.querySelector("template[data-row]").content.firstElementChild.cloneNode(true);
    row.querySelector(".nm").textContent = file.meta.relativePath;
    row.querySelector("progress").setAttribute("aria-label", file.meta.relativePath);
    row.querySelector("[data-size]").textContent = size(file.size ?? 0);
    this.part("files").append(row);
    this.rows.set(file.id, row);
    this.setChip(row, "waiting");
  }

  setChip(row, name, words) {
    const chip = this.form.querySelector(`template[data-chip="${name}"]`).content.firstElementChild.cloneNode(true);
    if (words) chip.querySelector("[data-words]").textContent = words;
    row.querySelector("[data-state]").replaceChildren(chip);
  }

  showProgress(file, { bytesUploaded, bytesTotal }) {
    const row = this.rows.get(file?.id);
    if (!row || row.classList.contains("sent")) return;
    const percent = bytesTotal ? Math.floor((100 * bytesUploaded) / bytesTotal) : 0;
    row.querySelector("progress").value = percent;
    row.querySelector("progress").className = "";
    row.querySelector("[data-why]").textContent = "";
    this.setChip(row, "sending", `${percent}%`);
  }

  showSent(file) {
    const row = this.rows.get(file.id);
    row.classList.add("sent");
    Object.assign(row.querySelector("progress"), { value: 100, className: "done" });
    row.querySelector("[data-why]").textContent = "";
    this.setChip(row, "sent");
  }

  showFailed(file, status) {
    const row = this.rows.get(file.id);
    row.querySelector("progress").className = "bad";
    row.querySelector("[data-why]").textContent = reason(status);
    this.setChip(row, "failed");
  }

  showOverall({ files, sent, failed, bytes, bytesSent }) {
    const done = sent === files ? 1 : bytes ? Math.min(bytesSent / bytes, 1) : 0;
    this.part("overall").value = Math.floor(done * 100);
    this.part("overall").className = sent === files ? "done" : "";
    const told = { sent: written(sent), files: written(files), done: size(bytesSent), all: size(bytes), failed };
    this.part("words").textContent = said(failed ? "sent-with-stops" : "sent", told);
    this.part("again").hidden = !failed;
    this.part("pause").hidden = sent + failed === files;
    this.speak(Math.floor(done * 10), sent === files);
  }

  /** Screen readers hear each tenth, not each file. */
  speak(tenth, all) {
    if (tenth === this.spokenTenth) return;
    this.spokenTenth = tenth;
    this.part("spoken").textContent = said(all ? "all-sent" : "part-sent", { percent: tenth * 10 });
  }

  showPaused(button, paused) {
    button.querySelector("[data-words]").textContent = said(paused ? "go-on" : "pause");
  }

  showTwice(number) {
    if (number) this.showWords(said("twice", { count: written(number) }));
  }

  showOffline(offline) {
    this.part("offline").hidden = !offline;
  }

  showWords(words) {
    this.part("problem").hidden = false;
    this.part("problem").querySelector("p").textContent = words;
  }

  showProblem(error) {
    this.showWords(reason(error.status));
  }

  clearProblem() {
    this.part("problem").hidden = true;
  }

  /** Loads the receipt and asks again every second until it says that it is complete. */
  async showReceipt(url) {
    const slot = document.getElementById(this.form.dataset.receipt);
    await window.htmx.ajax("GET", url, { target: slot, swap: "innerHTML" });
    const polls = slot.querySelector("[hx-trigger*=every]");
    if (!polls && !slot.querySelector("[data-complete]")) setTimeout(() => this.showReceipt(url), RECEIPT_EVERY);
  }
}

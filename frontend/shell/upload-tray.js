// What the page shows of an upload: a row per file, the whole, problems in words, the receipt.
const RECEIPT_EVERY = 1000;
const UNITS = ["B", "kB", "MB", "GB"];

function size(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

/** Why sending stopped, in words, and what to do. */
function reason(status) {
  if (status === 401 || status === 403) return "Your session has ended. Sign in again in another tab, then try again.";
  if (status === 413) return "The file is larger than this portal accepts.";
  if (status === 507) return "The portal has no space left. Call its operator; nothing that was sent is lost.";
  if (status >= 400 && status < 500) return "The portal did not accept this file.";
  if (status >= 500) return "The portal has a problem. Try again in a minute.";
  return "The connection was lost. It goes on by itself when it is back, or try again.";
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
    this.part("words").textContent =
      `${sent.toLocaleString("en")} of ${count(files, "file")} sent, ${size(bytesSent)} of ${size(bytes)}` +
      (failed ? `, ${failed} stopped` : "");
    this.part("again").hidden = !failed;
    this.part("pause").hidden = sent + failed === files;
    this.speak(Math.floor(done * 10), sent === files);
  }

  /** Screen readers hear each tenth, not each file. */
  speak(tenth, all) {
    if (tenth === this.spokenTenth) return;
    this.spokenTenth = tenth;
    this.part("spoken").textContent = all ? "All files are sent." : `${tenth * 10} % sent`;
  }

  showPaused(button, paused) {
    button.querySelector("[data-words]").textContent = paused ? "Go on" : "Pause all";
  }

  showTwice(number) {
    if (number) this.showWords(`${count(number, "file")} of the same name and size ${number === 1 ? "is" : "are"} in this upload already.`);
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

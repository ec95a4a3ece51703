// One batch: POST batch endpoint -> {id, url, receipt_url}; its files by tus; POST url + "close/"; its receipt.
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";
import { forgetBatch, rememberBatch, rememberedBatch, tabStorage } from "./upload-memory.js";

const CHUNK = 5 * 1024 * 1024;
const PARALLEL = 3;
const RETRY_DELAYS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

/** What went wrong, with the status when the server answered. */
export class UploadProblem extends Error {
  constructor(status) {
    super(`upload refused, ${status}`);
    this.status = status;
  }
}

function headers() {
  return {
    "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
    Accept: "application/json",
  };
}

async function post(url) {
  const response = await fetch(url, { method: "POST", headers: headers(), credentials: "same-origin" });
  if (!response.ok) throw new UploadProblem(response.status);
  return response.status === 204 ? null : response.json();
}

export class UploadBatch {
  /** Opens a batch, or goes on with the one that a reload of this tab broke off. */
  static async open({ endpoint, batchEndpoint }, tray, onClosed) {
    const known = rememberedBatch();
    // One of another patient, or of nobody, is not this one.
    const facts = known?.from === batchEndpoint ? known : { ...(await post(batchEndpoint)), from: batchEndpoint };
    rememberBatch(facts);
    return new UploadBatch(facts, endpoint, tray, onClosed);
  }

  constructor(facts, endpoint, tray, onClosed) {
    this.facts = facts;
    this.tray = tray;
    this.onClosed = onClosed;
    tray.startOver();
    // The batch's id is part of every file's id, so nothing is resumed into another batch.
    this.uppy = new Uppy({ id: `b${facts.id}`, autoProceed: true, onBeforeFileAdded: () => true });
    this.uppy.use(Tus, {
      endpoint,
      limit: PARALLEL,
      chunkSize: CHUNK,
      retryDelays: RETRY_DELAYS,
      headers,
      urlStorage: tabStorage,
      allowedMetaFields: ["filename", "batch", "relativePath"],
    });
    this.listen();
  }

  listen() {
    this.uppy.on("file-added", (file) => this.tray.addRow(file));
    this.uppy.on("upload-progress", (file, progress) => this.tray.showProgress(file, progress));
    this.uppy.on("progress", () => this.tray.showOverall(this.totals()));
    this.uppy.on("upload-success", (file) => this.tray.showSent(file));
    this.uppy.on("upload-error", (file, error, response) => this.fail(file, response?.status));
    this.uppy.on("is-offline", () => this.tray.showOffline(true));
    this.uppy.on("is-online", () => this.tray.showOffline(false));
    this.uppy.on("complete", () => this.closeWhenDone());
  }

  /** @param {{file: File, path: string}[]} files; the same file twice is sent once, and said so. */
  add(files) {
    let twice = 0;
    const inOrder = files.toSorted((one, other) => one.path.localeCompare(other.path, "en", { numeric: true }));
    for (const { file, path } of inOrder) {
      const meta = { filename: file.name, batch: String(this.facts.id), relativePath: path };
      try {
        this.uppy.addFile({ name: file.name, type: file.type, data: file, meta, source: "page" });
      } catch (error) {
        if (!error.isRestriction) throw error;
        twice += 1;
      }
    }
    this.tray.showTwice(twice);
    this.tray.showOverall(this.totals());
  }

  totals() {
    const files = this.uppy.getFiles();
    const sum = (of) => files.reduce((total, file) => total + of(file), 0);
    return {
      files: files.length,
      sent: files.filter((file) => file.progress.uploadComplete).length,
      failed: files.filter((file) => file.error).length,
      bytes: sum((file) => file.size ?? 0),
      bytesSent: sum((file) => file.progress.bytesUploaded || 0),
    };
  }

  fail(file, status) {
    this.tray.showFailed(file, status);
    // The batch is not ours any more (closed, or another person signed in): the next files open a new one.
    if (status === 404 || status === 410) this.leave();
  }

  leave() {
    forgetBatch();
    this.onClosed();
  }

  isSending() {
    const { files, sent } = this.totals();
    return sent < files;
  }

  retry() {
    if (this.totals().failed) this.uppy.retryAll();
  }

  /** Returns whether it is paused now. */
  togglePause() {
    this.paused = !this.paused;
    if (this.paused) this.uppy.pauseAll();
    else this.uppy.resumeAll();
    return this.paused;
  }

  async closeWhenDone() {
    const totals = this.totals();
    this.tray.showOverall(totals);
    if (this.closing || totals.sent < totals.files) return;
    this.closing = true;
    try {
      const closed = await post(`${this.facts.url}close/`);
      this.leave();
      this.tray.showReceipt(this.facts.receipt_url ?? closed?.receipt_url);
    } catch (error) {
      this.closing = false;
      this.tray.showProblem(error);
    }
  }
}

// The upload page: files, a folder or a ZIP, by tus 1.0, three at a time, resumed after a lost connection.
// The markup is templates/components/upload.html; the server's contract stands in UploadBatch.
import { UploadBatch } from "./upload-batch.js";
import { said } from "./said.js";
import { chosenFiles, droppedFiles } from "./upload-files.js";
import { rememberedBatch } from "./upload-memory.js";
import { Tray } from "./upload-tray.js";

const form = document.getElementById("upload");
const tray = new Tray(form);
let batch = null;

/** All files that arrive while a batch is open belong to it; after its receipt a new one begins. */
async function add(files) {
  if (!files.length) return;
  tray.clearProblem();
  try {
    batch ??= await UploadBatch.open(form.dataset, tray, () => (batch = null));
    batch.add(files);
  } catch (error) {
    batch = null;
    tray.showProblem(error);
  }
}

function watchPickers() {
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      add(chosenFiles(input.files));
      input.value = ""; // so that choosing the same folder again is a change
    });
  }
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picks]");
    if (button) document.getElementById(button.dataset.picks).click();
    if (event.target.closest("[data-again]")) batch?.retry();
    const pause = event.target.closest("[data-pause]");
    if (pause && batch) tray.showPaused(pause, batch.togglePause());
  });
}

function watchDrops() {
  const zone = form.querySelector(".drop");
  let depth = 0; // enter and leave come for every child too
  const over = (change) => zone.classList.toggle("over", (depth = Math.max(0, depth + change)) > 0);
  document.addEventListener("dragenter", (event) => event.dataTransfer?.types.includes("Files") && over(1));
  document.addEventListener("dragleave", (event) => event.dataTransfer?.types.includes("Files") && over(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    over(-depth);
    add(await droppedFiles(event.dataTransfer));
  });
}

watchPickers();
watchDrops();
if (rememberedBatch()) tray.showWords(said("broken-off"));
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("online", () => batch?.retry());
window.addEventListener("beforeunload", (event) => {
  if (batch?.isSending()) event.preventDefault();
});

// While you look, it may end. Asks the server whether the study may still be seen, every 0.6 s so
// that pictures go within the second, and tells the viewer to blank at once when it may not.
import { pulseMeans } from "./rules.js";
import { tr } from "./words.js";

const EVERY_MS = 600;
/** Without an answer for this long the pictures are taken away: nobody confirmed them. */
const PATIENCE_MS = 15_000;

const WORDS = {
  ended: () => tr("Access to this study has ended. The patient or the custodian withdrew it."),
  "signed-out": () => tr("You are signed out. Sign in again to see this study."),
  unknown: () =>
    tr("The portal has not answered for a while, so the images were taken away. They come back with the connection."),
};

/**
 * Watches the right to see this study.
 * @param {{url: string, onBlank: (words: string, reason: string) => void,
 *          onLine: (up: boolean) => void}} wiring
 */
export function startFence({ url, onBlank, onLine }) {
  const fence = { over: false, lost: false, heard: performance.now(), timer: 0, asking: false };

  function end(reason) {
    if (fence.over && !fence.lost) return;
    fence.over = true;
    fence.lost = reason === "unknown";
    if (!fence.lost) clearInterval(fence.timer);
    onBlank(WORDS[reason](), reason);
  }

  /** Taken away only because nobody answered: once someone does, the page is asked for anew. */
  function found(meaning) {
    if (meaning === "allowed") location.reload();
    else if (meaning !== "unknown") end(meaning);
  }

  function judge(meaning) {
    if (fence.lost) return found(meaning);
    if (meaning === "allowed") fence.heard = performance.now();
    else if (meaning !== "unknown") return end(meaning);
    onLine(meaning === "allowed");
    if (performance.now() - fence.heard > PATIENCE_MS) end("unknown");
    return undefined;
  }

  async function ask() {
    if ((fence.over && !fence.lost) || fence.asking || document.visibilityState === "hidden") return;
    fence.asking = true;
    try {
      const answer = await fetch(url, {
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(5000),
      });
      judge(pulseMeans(answer));
    } catch {
      // A lost line is no refusal; patience decides.
      judge("unknown");
    } finally {
      fence.asking = false;
    }
  }

  fence.timer = setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    // A hidden page does not ask, so the time it slept does not count against it.
    fence.heard = performance.now();
    ask();
  });
  window.addEventListener("pageshow", ask);
  return {
    /**
     * A refused DICOMweb answer. Signed out is certain; a 404 may be one missing image, so the
     * pulse is asked at once instead of within the second.
     */
    report(status) {
      if (status === 401) end("signed-out");
      else if (status === 403 || status === 404) ask();
    },
    isOver: () => fence.over,
    /** Watches no more, and says nothing. */
    stop() {
      fence.over = true;
      clearInterval(fence.timer);
    },
  };
}

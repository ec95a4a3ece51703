// Loads the series around the current image, nearest first, the way the reader scrolls first,
// and no further than memory allows.
import { nearestFirst } from "./rules.js";

const AT_ONCE = 4;
/** Decoded bytes that prefetching may fill; the cache keeps room for other series. */
const BUDGET_BYTES = 320 * 1024 * 1024;

/**
 * @param {{prefetch: (imageId: string) => Promise<number>, isCached: (imageId: string) => boolean}} stage
 */
export function createPrefetch(stage) {
  let frames = [];
  let current = 0;
  let direction = 1;
  let reach = 16;
  let running = 0;
  let stopped = false;
  const tried = new Set();

  function next() {
    return nearestFirst(current, frames.length, direction, Math.min(reach, frames.length))
      .map((at) => frames[at].imageId)
      .find((imageId) => !tried.has(imageId) && !stage.isCached(imageId));
  }

  async function one(imageId) {
    running += 1;
    tried.add(imageId);
    try {
      const bytes = await stage.prefetch(imageId);
      if (bytes > 0) reach = Math.max(4, Math.floor(BUDGET_BYTES / bytes / 2));
    } catch {
      // The stage reports what failed; the image is asked for again when the reader gets there.
    } finally {
      running -= 1;
      pump();
    }
  }

  function pump() {
    while (!stopped && running < AT_ONCE) {
      const imageId = next();
      if (!imageId) return;
      one(imageId);
    }
  }

  return {
    /** Begins with another series. */
    follow(newFrames, at) {
      frames = newFrames;
      current = at;
      tried.clear();
      pump();
    },
    /** The reader moved: what is nearest has changed. */
    moved(at) {
      if (at === current) return;
      direction = at > current ? 1 : -1;
      current = at;
      pump();
    },
    /** An image left the cache, so it may be asked for again. */
    forgot: (imageId) => tried.delete(imageId),
    stop() {
      stopped = true;
      frames = [];
    },
  };
}

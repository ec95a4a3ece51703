// What happens in the viewer, told to whoever asked: the parts need not know each other.

/**
 * - `series` (reader): another series was chosen; nothing of it is on screen yet
 * - `frames` (reader): its frames are known, none is there
 * - `unshown` (reader): it holds no pictures; `reader.unshown` says what it is
 * - `live` (reader): its first image is drawn by the browser itself
 * - `image` (reader): another image, window, zoom or place is on screen
 * - `progress` (reader): more of its images are in memory
 * - `reset` (reader): window, zoom and place are as at first; what was drawn on it goes
 * - `tool` (name): another tool was chosen
 * - `broken` (imageId): an image could not be had
 * - `cached` (imageId, there): an image came into memory or left it
 * - `active` (reader): another pane is the one that keys and buttons speak to
 * - `blank` (words): access ended; take everything of the study away at once
 */
export function createEvents() {
  const heard = new Map();
  return {
    on(name, listener) {
      heard.set(name, [...(heard.get(name) ?? []), listener]);
    },
    tell(name, ...facts) {
      for (const listener of heard.get(name) ?? []) listener(...facts);
    },
  };
}

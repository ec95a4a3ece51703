// What the server put into the page, and the preferences that this browser keeps.

/**
 * @typedef {object} Series
 * @property {string} uid
 * @property {number|null} number
 * @property {string} description
 * @property {string} modality
 * @property {number} instances
 * @property {number} frames
 * @property {{url: string, sop: string, frame: number}|null} middle
 */

/** Reads the page's data block once and takes it out, so that blanking leaves nothing behind. */
export function takeData() {
  const block = document.getElementById("viewer-data");
  const data = JSON.parse(block.textContent);
  block.remove();
  return data;
}

const KEYS_OFF = "viewer.single-keys-off";

/** Single-letter keys can be switched off (WCAG 2.1.4). Nothing of a study is ever stored. */
export const singleKeys = {
  on: () => localStorage.getItem(KEYS_OFF) === null,
  set(on) {
    if (on) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
  },
};

// What a script says stands in the page already, in the reader's language: <span hidden data-said="key">.

/** The sentence of that key with its [holes] filled: `said("some-picked", { count: 3 })`. */
export function said(key, holes = {}) {
  const words = document.querySelector(`[data-said="${key}"]`).textContent;
  return words.replace(/\[(\w+)\]/g, (_, name) => String(holes[name]));
}

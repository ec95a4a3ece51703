// Panes that scroll together: which image of another pane belongs to the one on screen. Pure; tested
// with `node --test`.

/** The index of the image nearest to a place along the slices; -1 where none is known. */
export function nearest(slices, place) {
  let best = -1;
  slices.forEach((slice, at) => {
    if (slice === null) return;
    if (best < 0 || Math.abs(slice - place) < Math.abs(slices[best] - place)) best = at;
  });
  return best;
}

/**
 * What is between two panes when they are linked. In one frame of reference places are the same; else
 * the readers brought both to the same anatomy, and the difference of that moment stays.
 * @param {{at: number, slice: number|null, space: string}} one
 * @param {{at: number, slice: number|null, space: string}} other
 */
export function offsetOf(one, other) {
  if (one.slice === null || other.slice === null) return { images: other.at - one.at };
  if (one.space && one.space === other.space) return { mm: 0 };
  return { mm: other.slice - one.slice };
}

/** The image that the other pane goes to, or -1. */
export function partnerOf(one, offset, slices) {
  if (offset.images !== undefined) {
    return Math.min(slices.length - 1, Math.max(0, one.at + offset.images));
  }
  return one.slice === null ? -1 : nearest(slices, one.slice + offset.mm);
}

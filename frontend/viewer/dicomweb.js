// Talks DICOMweb (PS3.18) with this origin: series metadata and the addresses of frames.
import { framesOf } from "./rules.js";

/** Raised when the server refuses or fails; carries the status, never any content. */
export class WebError extends Error {
  constructor(status) {
    super(`DICOMweb answered ${status}`);
    this.status = status;
  }
}

/**
 * The frames of a series in reading order.
 * @param {{root: string, study: string, series: string, signal?: AbortSignal}} where
 * @returns {Promise<{imageId: string, sop: string, frame: number, instance: object}[]>}
 * @throws {WebError}
 */
export async function framesOfSeries({ root, study, series, signal }) {
  const base = `${root}/studies/${study}/series/${series}`;
  const answer = await fetch(`${base}/metadata`, { signal });
  if (!answer.ok) throw new WebError(answer.status);
  return framesOf(await answer.json()).map((each) => ({
    ...each,
    imageId: `wadors:${base}/instances/${each.sop}/frames/${each.frame}`,
  }));
}

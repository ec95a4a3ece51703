// Talks DICOMweb (PS3.18) with this origin: series metadata and the addresses of frames.
import { framesOf } from "./rules.js";

/** Raised when the server refuses or fails; carries the status, never any content. */
export class WebError extends Error {
  constructor(status) {
    super(`DICOMweb answered ${status}`);
    this.status = status;
  }
}

/** The name under which a frame is known: its address behind the library's scheme. */
export function imageIdOf({ root, study, series, sop, frame }) {
  return `wadors:${root}/studies/${study}/series/${series}/instances/${sop}/frames/${frame}`;
}

/**
 * The metadata of every instance of a series, as they come.
 * @param {{root: string, study: string, series: string, signal?: AbortSignal}} where
 * @returns {Promise<object[]>}
 * @throws {WebError}
 */
export async function instancesOfSeries({ root, study, series, signal }) {
  const url = `${root}/studies/${study}/series/${series}/metadata`;
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new WebError(answer.status);
  return answer.json();
}

/**
 * The frames of a series in reading order.
 * @returns {{imageId: string, sop: string, frame: number, instance: object}[]}
 */
export function framesAmong(instances, where) {
  return framesOf(instances).map((each) => ({ ...each, imageId: imageIdOf({ ...where, ...each }) }));
}

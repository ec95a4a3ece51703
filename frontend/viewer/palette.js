// Colour tables of PALETTE COLOR images (PS3.3 C.7.6.3.1.5): the library wants them as numbers, the
// metadata name them as bulk data.
import { numbers, values } from "./rules.js";

const TABLES = ["00281201", "00281202", "00281203"];
const DESCRIPTORS = ["00281101", "00281102", "00281103"];

/** The entries of one table: words of 16 bits, or single bytes where so many are all there are. */
export function entriesOf(bytes, count) {
  if (bytes.length < count * 2) return [...bytes];
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 2) }, (_, at) => words.getUint16(at * 2, true));
}

async function bytesOf(element, signal) {
  if (element?.InlineBinary) return Uint8Array.from(atob(element.InlineBinary), (c) => c.charCodeAt(0));
  // The address names the public host; the browser asks the one that it came from.
  const answer = await fetch(new URL(element.BulkDataURI).pathname, {
    headers: { Accept: "application/octet-stream" },
    signal,
  });
  if (!answer.ok) throw new Error(`a colour table answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function fill(instance, signal) {
  const all = TABLES.map(async (tag, at) => {
    const count = numbers(instance, DESCRIPTORS[at])[0] || 65536;
    instance[tag] = { vr: "US", Value: entriesOf(await bytesOf(instance[tag], signal), count) };
  });
  await Promise.all(all);
}

const filling = new WeakMap();

/** Puts the colour tables of an instance in place, once; nothing where it has none. */
export function withPalette(instance, signal) {
  const isMeant = values(instance, "00280004")[0] === "PALETTE COLOR" && TABLES.every((tag) => instance[tag]);
  if (!isMeant || values(instance, TABLES[0]).length) return Promise.resolve();
  if (!filling.has(instance)) filling.set(instance, fill(instance, signal));
  return filling.get(instance);
}

// The line: asks for frames, the one on screen before those ahead; waits while the line is away and
// goes on by itself; knows what came and how fast. Knows nothing of the rendering library.
import { WebError } from "./dicomweb.js";
import { acceptFor, AS_STORED, comesAsHtj2k, syntaxOf } from "./rules.js";

/** Six connections are all that a browser gives; one is left for the pulse. */
const AT_ONCE = 5;
const AHEAD_AT_ONCE = 3;
const RETRIES = 3;
const LONGEST_PAUSE_MS = 4000;

/** Bytes a second, of the time in which something was on its way; the older the less. */
function createSpeed() {
  let [bytes, busy, since] = [0, 0, 0];
  return {
    begins: () => {
      since ||= performance.now();
    },
    ends: () => {
      busy += performance.now() - since;
      since = 0;
    },
    came(length) {
      bytes += length;
      const now = performance.now();
      busy += now - since;
      since = now;
      if (busy > 8000) [bytes, busy] = [bytes / 2, busy / 2];
    },
    perSecond: () => (busy > 200 ? (bytes * 1000) / busy : 0),
  };
}

/**
 * @param {{signal: AbortSignal, onRefused: (status: number) => void,
 *   onAway: (away: boolean) => void, onWeighed: (imageId: string, bytes: number) => void}} wiring
 */
export function createLine({ signal, onRefused, onAway, onWeighed }) {
  const waiting = [];
  const asked = new Map();
  const speed = createSpeed();
  const running = { all: 0, ahead: 0 };
  const sleepers = new Set();

  /** Waits, unless the line is known to be back before. */
  function pause(ms) {
    return new Promise((resolve) => {
      sleepers.add(resolve);
      setTimeout(resolve, ms);
    }).finally(() => sleepers.clear());
  }

  async function body(answer) {
    const total = Number(answer.headers.get("Content-Length")) || 0;
    const syntax = syntaxOf(answer.headers.get("Content-Type"));
    const reader = answer.body.getReader();
    let bytes = new Uint8Array(total || 65536);
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      speed.came(value.length);
      if (length + value.length > bytes.length) {
        const larger = new Uint8Array(Math.max(length + value.length, bytes.length * 2));
        larger.set(bytes.subarray(0, length));
        bytes = larger;
      }
      bytes.set(value, length);
      length += value.length;
    }
    if (total && length < total) throw new TypeError("the answer broke off");
    return { bytes: bytes.subarray(0, length), syntax };
  }

  async function once(task) {
    const url = task.imageId.slice(task.imageId.indexOf(":") + 1);
    const ask = (accept) => fetch(url, { headers: { Accept: accept }, signal });
    let answer = await ask(acceptFor(task.stored));
    // It could not be encoded anew: then it comes as it lies.
    if (answer.status === 406 && comesAsHtj2k(task.stored)) answer = await ask(AS_STORED);
    if (!answer.ok) throw new WebError(answer.status);
    return body(answer);
  }

  /** A line that is away comes back; a server that fails gets a few tries more; a refusal is one. */
  async function insistently(task) {
    for (let tries = 0; ; tries += 1) {
      try {
        const got = await once(task);
        if (tries) onAway(false);
        return got;
      } catch (error) {
        const status = error instanceof WebError ? error.status : 0;
        const isOver = signal.aborted || (status && status < 500 && status !== 429);
        if (status) onRefused(status);
        if (isOver || (status && tries >= RETRIES)) throw error;
        if (!status) onAway(true);
        await pause(Math.min(LONGEST_PAUSE_MS, 500 * 2 ** tries));
      }
    }
  }

  async function run(task) {
    const { ahead } = task;
    running.all += 1;
    if (ahead) running.ahead += 1;
    speed.begins();
    try {
      const got = await insistently(task);
      onWeighed(task.imageId, got.bytes.length);
      task.resolve(got);
    } catch (error) {
      task.reject(error);
    } finally {
      if (!task.keep) asked.delete(task.imageId);
      running.all -= 1;
      if (ahead) running.ahead -= 1;
      if (!running.all) speed.ends();
      pump();
    }
  }

  function pump() {
    while (running.all < AT_ONCE && waiting.length) {
      const at = waiting.findIndex((task) => !task.ahead || running.ahead < AHEAD_AT_ONCE);
      if (at < 0) return;
      run(waiting.splice(at, 1)[0]);
    }
  }

  /** Somebody looks at what was to come ahead. */
  function hurry(task) {
    const at = waiting.indexOf(task);
    if (at < 0) return;
    task.ahead = false;
    waiting.unshift(...waiting.splice(at, 1));
    pump();
  }

  /**
   * One frame as it travels: `{bytes, syntax}`. `stored` is the syntax that it is stored in, `ahead`
   * lets it wait for those that are looked at; the newest of these goes first. One that is asked
   * for twice travels once. What is to be kept waits for the next who asks.
   */
  function frame(imageId, { stored, ahead = false, keep = false } = {}) {
    const known = asked.get(imageId);
    if (known) {
      if (known.keep) asked.delete(imageId);
      if (!ahead) hurry(known);
      return known.promise;
    }
    const task = { imageId, stored, ahead, keep };
    task.promise = new Promise((resolve, reject) => Object.assign(task, { resolve, reject }));
    asked.set(imageId, task);
    if (ahead) waiting.push(task);
    else waiting.unshift(task);
    pump();
    return task.promise;
  }

  return {
    ...{ frame, signal },
    /** Bytes a second; 0 while nothing was measured. */
    speed: speed.perSecond,
    /** The pulse was answered: whoever waits tries at once. */
    isBack: () => sleepers.forEach((wake) => wake()),
  };
}

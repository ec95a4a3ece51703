// Whether slices make a volume that planes can be cut through. Pure; tested with `node --test`.
import { numbers } from "./rules.js";
import { tr } from "./words.js";

const FEWEST = 5;
const WHY = {
  few: () => tr("Planes need at least five slices."),
  place: () => tr("These images do not say where they lie in the patient."),
  mixed: () => tr("These slices do not lie parallel, or not all are of one size."),
  uneven: () => tr("The slices are not evenly spaced, so planes through them would be wrong."),
};

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

function placeOf({ instance }) {
  const orientation = numbers(instance, "00200037");
  const position = numbers(instance, "00200032");
  return orientation.length === 6 && position.length === 3 ? { orientation, position } : null;
}

function sameSize(frames) {
  const sizes = frames.map(({ instance }) =>
    ["00280010", "00280011", "00280030", "00200052"].map((tag) => String(instance[tag]?.Value)).join(),
  );
  return new Set(sizes).size === 1;
}

/** Why no planes can be cut through these frames; empty where they can. */
export function whyNoVolume(frames) {
  if (frames.length < FEWEST) return WHY.few();
  const places = frames.map(placeOf);
  if (places.some((each) => !each)) return WHY.place();
  const [a, b, c, d, e, f] = places[0].orientation;
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  const parallel = places.every(({ orientation }) =>
    orientation.every((part, at) => Math.abs(part - places[0].orientation[at]) < 1e-3),
  );
  if (!parallel || !sameSize(frames)) return WHY.mixed();
  const along = places.map(({ position }) => dot(position, normal)).sort((one, two) => one - two);
  const steps = along.slice(1).map((place, at) => place - along[at]);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  return least > 0.01 && most - least < 0.1 * most ? "" : WHY.uneven();
}

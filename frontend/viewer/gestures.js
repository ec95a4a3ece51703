// Mouse, pen and fingers on the viewport. One finger or the left button does what the chosen tool
// says; two fingers that part or close zoom and move, two that go together set the window; the wheel
// scrolls; right drag zooms, middle drag moves.

const PIXELS_FOR_DOUBLE_ZOOM = 120;
/** How far two fingers go before it is decided what they mean. */
const PIXELS_TO_DECIDE = 16;

/** Images to move for a drag of `pixels`, so that the whole height runs through the series. */
function imagesPerDrag(pixels, height, count) {
  return pixels / Math.max(2, height / Math.max(count, 8));
}

/**
 * @param {HTMLElement} element
 * @param {{tool: () => string, count: () => number, scroll: (by: number) => void,
 *   window: (dx: number, dy: number) => void, zoomBy: (factor: number, point?: number[]) => void,
 *   pan: (dx: number, dy: number) => void}} verbs
 */
export function listenToGestures(element, verbs) {
  const pointers = new Map();
  let rest = 0;
  let wheelRest = 0;

  const local = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  const drags = {
    scroll(_dx, dy) {
      rest += imagesPerDrag(dy, element.clientHeight, verbs.count());
      const whole = Math.trunc(rest);
      rest -= whole;
      if (whole) verbs.scroll(whole);
    },
    window: (dx, dy) => verbs.window(dx, dy),
    zoom: (_dx, dy) => verbs.zoomBy(2 ** (-dy / PIXELS_FOR_DOUBLE_ZOOM)),
    pan: (dx, dy) => verbs.pan(dx, dy),
  };

  function toolOf(event) {
    if (event.pointerType === "mouse" && event.buttons & 4) return "pan";
    if (event.pointerType === "mouse" && event.buttons & 2) return "zoom";
    return verbs.tool();
  }

  const span = ([one, other]) => Math.hypot(one[0] - other[0], one[1] - other[1]);
  const middle = ([one, other]) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
  let two = null;

  /**
   * Two fingers: a pinch, or a window; the first few pixels decide, and it stays so. Fingers are
   * told of one after the other: one alone always looks like a pinch, so it has to go further.
   */
  function together(id, before, now) {
    two ??= { began: before, moved: new Set(), means: "" };
    two.moved.add(id);
    const enough = two.moved.size === 2 ? PIXELS_TO_DECIDE : 4 * PIXELS_TO_DECIDE;
    const [wide, went] = [
      Math.abs(span(now) - span(two.began)),
      Math.hypot(...middle(now).map((part, axis) => part - middle(two.began)[axis])),
    ];
    if (!two.means && Math.max(wide, went) > enough) {
      two.means = wide > went ? "pinch" : "window";
    }
    const [dx, dy] = middle(now).map((part, axis) => part - middle(before)[axis]);
    if (two.means === "window") verbs.window(dx, dy);
    if (two.means !== "pinch") return;
    verbs.pan(dx, dy);
    if (span(before) > 10) verbs.zoomBy(span(now) / span(before), middle(now));
  }

  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, local(event));
    rest = 0;
  });
  element.addEventListener("pointermove", (event) => {
    const from = pointers.get(event.pointerId);
    if (!from) return;
    const to = local(event);
    const before = [...pointers.values()];
    pointers.set(event.pointerId, to);
    if (pointers.size === 2) together(event.pointerId, before, [...pointers.values()]);
    else if (pointers.size === 1) drags[toolOf(event)]?.(to[0] - from[0], to[1] - from[1]);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      two = null;
    });
  }
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (event.ctrlKey) return verbs.zoomBy(2 ** (-event.deltaY / 200), local(event));
      // A notch of a wheel is 100 units and one image; a touch pad sends many small steps.
      wheelRest += event.deltaMode === 1 ? event.deltaY * 33 : event.deltaY;
      const whole = Math.abs(wheelRest) >= 100 ? Math.trunc(wheelRest / 100) : 0;
      if (whole) {
        wheelRest -= whole * 100;
        verbs.scroll(whole);
      }
      return undefined;
    },
    { passive: false },
  );
}

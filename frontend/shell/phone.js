// The patient's phone: the code from behind the # goes into its field and out of the address bar;
// a finger's lines go into the form as numbers on a field of 1000 by 400, never as an image.
const FIELD = { width: 1000, height: 400 };
const POINTS_MOST = 2900;
const STROKES_MOST = 60;
const APART = 6; // nearer points say nothing new

function takeCode(form) {
  const code = window.location.hash.slice(1);
  if (!code) return;
  form.querySelector('input[name="token"]').value = code;
  form.querySelector("[data-code-field]").hidden = true;
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  document.querySelectorAll("a[data-keeps-code]").forEach((link) => { link.hash = code; });
}

function watchSignature(form) {
  const canvas = form.querySelector("canvas");
  const pen = canvas.getContext("2d");
  let strokes = [];
  let drawing = false;
  pen.lineWidth = 6;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = getComputedStyle(canvas).color;

  const count = () => strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const inside = (value, most) => Math.round(Math.min(Math.max(value, 0), 1) * most);
    return [
      inside((event.clientX - box.left) / box.width, FIELD.width),
      inside((event.clientY - box.top) / box.height, FIELD.height),
    ];
  };
  const draw = ([fromX, fromY], [x, y]) => {
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(x, y);
    pen.stroke();
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (count() >= POINTS_MOST || strokes.length >= STROKES_MOST) return;
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    const point = place(event);
    strokes.push([point]);
    draw(point, point);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing || count() >= POINTS_MOST) return;
    const stroke = strokes.at(-1);
    const last = stroke.at(-1);
    const point = place(event);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < APART) return;
    stroke.push(point);
    draw(last, point);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => { drawing = false; });
  }
  form.querySelector("[data-clear]").addEventListener("click", () => {
    strokes = [];
    pen.clearRect(0, 0, FIELD.width, FIELD.height);
  });
  form.addEventListener("submit", (event) => {
    form.querySelector("[data-missing]").hidden = count() >= 5;
    if (count() < 5) event.preventDefault();
    const words = strokes.map((stroke) => stroke.map((point) => point.join(",")).join(" "));
    form.querySelector('input[name="drawn"]').value = words.join(";");
  });
}

document.querySelectorAll("form[data-phone-proof]").forEach(takeCode);
document.querySelectorAll("form[data-signature]").forEach(watchSignature);

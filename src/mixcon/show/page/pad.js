// The drawing pad: strokes of a pointer or of the arrow keys, fitted to what the data look like.

import { paint, sample, toBytes } from "./picture.js";

const SIDE = 280; // points of the pad's own grid in height
const STEP = SIDE / 28; // of an arrow key
const FINE = 8; // dots a pixel while lines are drawn, before they are averaged

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number[]} shape (channels, height, width) of an input
   * @param {object} style of the data: see mixcon.show.drawing
   * @param {(x: Float32Array) => void} changed told each new input
   * @param {(words: string) => void} say told what a screen reader cannot see
   */
  constructor(canvas, shape, style, changed, say) {
    Object.assign(this, { canvas, shape, style, changed, say });
    const [, height, width] = shape;
    this.wide = Math.round(SIDE * width / height);
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    this.strokes = [];
    this.pen = { x: this.wide / 2, y: SIDE / 2, down: false, seen: false };
    this.listen();
  }

  /** Show an image instead of strokes. */
  load(x) {
    this.strokes = [];
    paint(this.canvas, toBytes(x), this.shape);
    this.changed(x);
  }

  clear() {
    this.strokes = [];
    this.pen.down = false;
    this.draw();
    this.changed(null);
  }

  listen() {
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * this.wide,
        (event.clientY - box.top) / box.height * SIDE];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId);
      this.pen.seen = this.pen.down = false;
      this.strokes.push([at(event)]);
      this.update();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!this.canvas.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.strokes.at(-1)?.push(...(events.length ? events : [event]).map(at));
      this.update();
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => { this.pen.seen = false; if (this.strokes.length) this.draw(); });
  }

  key(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move && ![" ", "Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    const { pen } = this;
    if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
      this.say("Cleared.");
      return;
    }
    pen.seen = true;
    if (move) {
      pen.x = Math.min(Math.max(pen.x + STEP * move[0], STEP), this.wide - STEP);
      pen.y = Math.min(Math.max(pen.y + STEP * move[1], STEP), SIDE - STEP);
      if (pen.down) this.strokes.at(-1).push([pen.x, pen.y]);
    } else {
      pen.down = !pen.down;
      if (pen.down) this.strokes.push([[pen.x, pen.y]]);
    }
    this.say(`Pen ${pen.down ? "down" : "up"}, column ${Math.round(pen.x / STEP)}, `
      + `row ${Math.round(pen.y / STEP)}.`);
    if (pen.down) this.update();
    else this.draw();
  }

  update() {
    this.draw();
    this.changed(this.fitted());
  }

  /** The strokes as they were drawn, for whoever draws. */
  draw() {
    this.canvas.width = 2 * this.wide;
    this.canvas.height = 2 * SIDE;
    const context = this.canvas.getContext("2d");
    lines(context, this.strokes, ([x, y]) => [2 * x, 2 * y], 2 * SIDE * Math.min(this.style.line, 0.12));
    if (!this.pen.seen) return;
    context.strokeStyle = "#e07a62";
    context.lineWidth = 4;
    context.setLineDash(this.pen.down ? [] : [6, 6]);
    context.beginPath();
    context.arc(2 * this.pen.x, 2 * this.pen.y, 16, 0, 2 * Math.PI);
    context.stroke();
  }

  /** The strokes as an input: where the data have theirs, as thick and as soft as theirs. */
  fitted() {
    const [, height, width] = this.shape, { style } = this;
    const points = this.strokes.flat();
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const line = style.line * height;
    const scale = Math.min(
      Math.max(style.height * height - line, 1) / Math.max(bottom - top, SIDE / 4),
      Math.max(0.9 * width - line, 1) / Math.max(right - left, 1),
    );
    const canvas = new OffscreenCanvas(FINE * width, FINE * height);
    const context = canvas.getContext("2d");
    context.filter = `blur(${FINE * height * style.blur}px)`;
    lines(context, this.strokes, ([x, y]) => [
      FINE * (style.x * width + scale * (x - (left + right) / 2)),
      FINE * (style.y * height + scale * (y - (top + bottom) / 2)),
    ], FINE * line);
    return sample(canvas, this.shape);
  }
}

function lines(context, strokes, place, width) {
  const { filter } = context;
  context.filter = "none"; // a blurred ground would be bright at its border
  context.fillStyle = "#000";
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.filter = filter;
  context.strokeStyle = "#fff";
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...place(stroke[0]));
    for (const point of stroke.length > 1 ? stroke : [stroke[0], stroke[0]]) context.lineTo(...place(point));
    context.stroke();
  }
}

// Pictures: numbers to pixels on a canvas, and files to numbers.

/** Show an image, (channels, height, width), flat, one byte a number. */
export function paint(canvas, bytes, [channels, height, width]) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height), area = height * width;
  for (let i = 0; i < area; i += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = bytes[(channels === 1 ? 0 : c * area) + i];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export function toBytes(x) {
  return Uint8Array.from(x, (value) => Math.round(255 * value));
}

export function toFloats(bytes) {
  return Float32Array.from(bytes, (value) => value / 255);
}

/** The numbers of a drawing surface of any size: (channels, height, width) in [0, 1]. */
export function sample(source, [channels, height, width]) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // transparent parts lie on white
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height), area = width * height;
  const x = new Float32Array(channels * area);
  for (let i = 0; i < area; i += 1) {
    const [r, g, b] = data.subarray(4 * i, 4 * i + 3);
    if (channels === 1) x[i] = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
    else [r, g, b].forEach((value, c) => { x[c * area + i] = value / 255; });
  }
  return x;
}

/**
 * An image file as an input: black ink on white paper is turned round where the data are bright
 * on dark.
 */
export async function open(file, shape, style) {
  const [, height, width] = shape;
  const bitmap = await createImageBitmap(file,
    { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  const x = sample(bitmap, shape);
  return style.ground < 0.25 && border(x, shape) > 0.5 ? x.map((value) => 1 - value) : x;
}

/** Mean of the outermost pixels. */
function border(x, [channels, height, width]) {
  let sum = 0, count = 0;
  x.forEach((value, i) => {
    const row = Math.floor(i / width) % height, column = i % width;
    if (row % (height - 1) && column % (width - 1)) return;
    sum += value;
    count += 1;
  });
  return sum / count;
}

// Structural similarity in the form of Wang et al. 2004, as mixcon.metrics.ssim computes it.

const RADIUS = 5, SIGMA = 1.5, C1 = 0.01 ** 2, C2 = 0.03 ** 2;
const WINDOW = (() => {
  const weights = Array.from({ length: 2 * RADIUS + 1 },
    (_, i) => Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
})();

/**
 * SSIM of two images in [0, 1], averaged over channels: 1 for identical ones.
 * @param {ArrayLike<number>} a (channels, height, width), flat
 * @param {ArrayLike<number>} b likewise
 * @param {[number, number, number]} shape
 */
export function ssim(a, b, [channels, height, width]) {
  let sum = 0, count = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    const start = channel * height * width;
    const take = (value) => blur(
      Float64Array.from({ length: height * width }, (_, i) => value(a[start + i], b[start + i])),
      height, width);
    const meanA = take((p) => p), meanB = take((_, q) => q);
    const squareA = take((p) => p * p), squareB = take((_, q) => q * q);
    const product = take((p, q) => p * q);
    for (let i = 0; i < meanA.length; i += 1) {
      const both = meanA[i] * meanB[i], squares = meanA[i] ** 2 + meanB[i] ** 2;
      sum += (2 * both + C1) / (squares + C1)
        * (2 * (product[i] - both) + C2) / (squareA[i] + squareB[i] - squares + C2);
    }
    count += meanA.length;
  }
  return sum / count;
}

/** Gaussian means of the windows that lie inside the image. */
function blur(image, height, width) {
  const inner = width - 2 * RADIUS, rows = height - 2 * RADIUS;
  const across = new Float64Array(height * inner);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < inner; x += 1) {
      across[y * inner + x] = weigh((k) => image[y * width + x + k]);
    }
  }
  const result = new Float64Array(rows * inner);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < inner; x += 1) {
      result[y * inner + x] = weigh((k) => across[(y + k) * inner + x]);
    }
  }
  return result;
}

function weigh(value) {
  let sum = 0;
  for (let k = 0; k < WINDOW.length; k += 1) sum += WINDOW[k] * value(k);
  return sum;
}

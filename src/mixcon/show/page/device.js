// The device: runs the encoder, draws noise, and packs what leaves as the contract says.

import { InferenceSession, Tensor, env } from "./runtime/ort.wasm.bundle.min.mjs";

env.wasm.numThreads = 1;
env.wasm.wasmPaths = { wasm: new URL("./runtime/ort-wasm-simd-threaded.wasm", import.meta.url).href };

const sessions = new Map();

/**
 * What leaves for an input, as the bytes that are sent.
 * @param {object} model of content.json
 * @param {Float32Array} x in [0, 1], flat
 * @param {number} sigma standard deviation of the noise of the dial
 */
export async function encode(model, x, sigma) {
  const { contract } = model;
  const feeds = { [contract.input.name]: new Tensor("float32", x, [1, ...contract.input.shape]) };
  for (const noise of contract.noise) {
    const shape = noise.shape ?? contract.representation.shape;
    feeds[noise.name] = new Tensor("float32", draw(noise.distribution, size(shape)), [1, ...shape]);
  }
  const session = await opened(model.name);
  const z = (await session.run(feeds))[contract.representation.name].data;
  return pack(sigma ? noisy(z, sigma, contract) : z, contract);
}

function opened(name) {
  if (!sessions.has(name)) {
    sessions.set(name, (async () => {
      const answer = await fetch(`models/${name}/encoder.onnx`);
      if (!answer.ok) throw new Error(`the encoder of ${name} did not come: ${answer.status}`);
      return InferenceSession.create(new Uint8Array(await answer.arrayBuffer()));
    })());
  }
  return sessions.get(name);
}

function noisy(z, sigma, contract) {
  const noise = draw("normal", z.length);
  const added = z.map((value, i) => value + sigma * noise[i]);
  if (contract.wire === "float32") return added;
  return added.map((value) => Math.min(Math.max(value, contract.low), contract.high));
}

/** Fresh numbers from the browser's secure source, as mixcon.serving.noise makes them. */
function draw(distribution, count) {
  const u = uniform(count), v = uniform(count);
  const made = {
    uniform: () => u,
    normal: () => u.map((p, i) => Math.sqrt(-2 * Math.log1p(-p)) * Math.cos(2 * Math.PI * v[i])),
    laplace: () => u.map((p, i) => Math.log1p(-p) - Math.log1p(-v[i])),
  }[distribution]();
  return Float32Array.from(made);
}

/** Multiples of 2^-53 in [0, 1), each as likely. */
function uniform(count) {
  const result = new Float64Array(count), most = 4096; // of 65,536 bytes at a time
  for (let start = 0; start < count; start += most) {
    const part = crypto.getRandomValues(new Uint32Array(2 * Math.min(most, count - start)));
    for (let i = 0; i < part.length / 2; i += 1) {
      result[start + i] = ((part[2 * i] >>> 5) * 2 ** 26 + (part[2 * i + 1] >>> 6)) * 2 ** -53;
    }
  }
  return result;
}

function pack(z, { wire, scales }) {
  if (wire === "float32") return new Uint8Array(new Float32Array(z).buffer);
  const code = scales[wire];
  if (!code) throw new Error(`this page does not know the wire format ${wire}`);
  const codes = Uint8Array.from(z, (value) => {
    const nearest = Math.round((value - code.low) / code.step);
    return Math.min(Math.max(nearest, 0), 2 ** code.bits - 1);
  });
  if (wire === "int8") return codes;
  return Uint8Array.from({ length: Math.ceil(codes.length / 2) },
    (_, i) => codes[2 * i] | ((codes[2 * i + 1] ?? 0) << 4));
}

export function size(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

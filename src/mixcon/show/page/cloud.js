// The cloud: the server that answers, and the curious one behind it.

import { size } from "./device.js";

const session = Array.from(crypto.getRandomValues(new Uint8Array(6)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");
let count = 0;

/**
 * Send what leaves (Open Inference Protocol v2), and get the logits.
 * @returns {Promise<{id: string, logits: number[]}>}
 */
export async function infer(model, bytes) {
  const { contract } = model, { wire, representation } = contract;
  const numbers = size(representation.shape), id = `${session}-${count += 1}`;
  const tensor = {
    name: representation.name,
    datatype: wire === "float32" ? "FP32" : "UINT8",
    shape: wire === "int4" ? [1, Math.ceil(numbers / 2)] : [1, ...representation.shape],
    parameters: { wire, binary_data_size: bytes.length },
  };
  const json = new TextEncoder().encode(JSON.stringify({ id, inputs: [tensor] }));
  const body = new Uint8Array(json.length + bytes.length);
  body.set(json);
  body.set(bytes, json.length);
  const answer = await fetch(`v2/models/${model.name}/infer`, {
    method: "POST",
    headers: { "Inference-Header-Content-Length": String(json.length) },
    body,
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return { id, logits: said.outputs[0].data };
}

/**
 * What the curious cloud redraws from the bytes of an earlier request.
 * @returns {Promise<{pixels?: Uint8Array, share?: number}>} pixels, or how much it has learned
 */
export async function redraw(model, id, level) {
  const answer = await fetch(`curious/${model.name}/${id}?level=${level}`);
  if (answer.status === 202) return answer.json();
  if (!answer.ok) throw new Error(await answer.text());
  return { pixels: new Uint8Array(await answer.arrayBuffer()) };
}

/** A file of the server's: JSON, or one byte a number. */
export async function read(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} did not come: ${answer.status}`);
  return name.endsWith(".json") ? answer.json() : new Uint8Array(await answer.arrayBuffer());
}

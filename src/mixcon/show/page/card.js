// One card: a split, what leaves it, and what the cloud makes of that.

import { infer, redraw } from "./cloud.js";
import { encode, size } from "./device.js";
import { paint, toFloats } from "./picture.js";
import { ssim } from "./ssim.js";

const SHOWN = 48; // bytes
const WAIT = 500; // milliseconds between questions, while the cloud still learns

const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const finer = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en");

export class Card {
  /**
   * @param {object} card of content.json
   * @param {object} content all of it
   * @param {Uint8Array} guesses the best picture to guess from each label, one after another
   * @param {() => void} turned told when the card's own dial is turned
   */
  constructor(card, content, guesses, turned) {
    Object.assign(this, { card, content, guesses });
    this.root = document.getElementById("card").content.cloneNode(true).firstElementChild;
    this.model = card.models[card.start];
    this.find("h3").textContent = card.title;
    this.find("h3").id = `card-${card.title}`.replace(/\W+/g, "-");
    this.root.setAttribute("aria-labelledby", this.find("h3").id);
    this.find(".what").textContent = card.note;
    if (card.models.length > 1) this.addDial(turned);
    this.describe();
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  addDial(turned) {
    const dial = this.find(".dial"), range = dial.querySelector("input");
    dial.hidden = false;
    range.id = `${this.find("h3").id}-dial`;
    range.max = this.card.models.length - 1;
    range.value = this.card.start;
    dial.querySelector("label").htmlFor = dial.querySelector("output").htmlFor = range.id;
    dial.querySelector("label").textContent = spelled(this.card.setting);
    range.addEventListener("input", () => {
      this.model = this.card.models[range.value];
      this.describe();
      turned();
    });
  }

  /** What is true of the model whatever is drawn. */
  describe() {
    const { model, card } = this;
    this.find(".defense").textContent = model.defense;
    const value = card.values[card.models.indexOf(model)];
    if (card.models.length > 1) {
      this.find("output").textContent = value;
      this.find(".dial input").setAttribute("aria-valuetext", String(value));
    }
    this.find(".accuracy").textContent = `${finer.format(model.accuracy)} of test images`;
    const bound = this.find(".bound");
    bound.classList.toggle("none", model.bits === null);
    if (model.bits === null) {
      bound.textContent = "none: nothing is proved";
      return;
    }
    const bits = rounded(model.bits);
    bound.replaceChildren(`${bits} bits: no attack, ever, multiplies its chance of a right guess by more than 2`,
      Object.assign(document.createElement("sup"), { textContent: bits }));
  }

  /**
   * Send an input through the split, and show what comes of it.
   * @param {Float32Array} x
   * @param {number} level of the noise
   * @param {() => boolean} current whether nobody has asked for anything newer
   * @returns {Promise<string>} what a screen reader says of it
   */
  async show(x, level, current) {
    const { model } = this, { shape, classes } = this.content;
    const bytes = await encode(model, x, model.sigmas[level]);
    const { id, logits } = await infer(model, bytes);
    if (!current()) return "";
    const label = logits.indexOf(Math.max(...logits));
    this.find(".label").replaceChildren(strong(classes[label]), ` ${percent.format(sureness(logits))} sure`);
    this.showBytes(bytes);
    const area = size(shape), guess = this.guesses.subarray(label * area, (label + 1) * area);
    this.picture(".guess canvas", guess, `Best guess for ${classes[label]}`);
    const pixels = await this.redrawn(id, level, current);
    if (!pixels) return "";
    this.picture(".redrawn canvas", pixels, `What the cloud redraws with ${this.card.title}`);
    return this.measure(ssim(toFloats(pixels), x, shape), ssim(toFloats(guess), x, shape), classes[label]);
  }

  async redrawn(id, level, current) {
    for (;;) {
      const { pixels, share } = await redraw(this.model, id, level);
      if (!current()) return null;
      this.root.classList.toggle("learning", !pixels);
      if (pixels) return pixels;
      this.find(".finding").textContent = `The cloud is learning to see through this setting: ${percent.format(share)} …`;
      await new Promise((done) => { setTimeout(done, WAIT); });
      if (!current()) return null;
    }
  }

  showBytes(bytes) {
    const hex = Array.from(bytes.subarray(0, SHOWN), (byte) => byte.toString(16).padStart(2, "0"));
    const { bits } = this.model;
    this.find(".leaves strong").textContent = bytes.length === 1 ? "1 byte" : `${whole.format(bytes.length)} bytes`;
    this.find(".leaves span").textContent = bits !== null && bits < 8 * bytes.length
      ? `that carry ${rounded(bits)} bits` : "";
    this.find(".bytes").textContent = hex.join(" ") + (bytes.length > SHOWN ? " …" : "");
  }

  picture(selector, pixels, words) {
    paint(this.find(selector), pixels, this.content.shape);
    this.find(selector).setAttribute("aria-label", words);
  }

  measure(got, floor, label) {
    const excess = (got - floor) / (1 - floor), place = (value) => `${100 * Math.max(value, 0)}%`;
    this.find(".floor").style.left = place(floor);
    this.find(".got").style.left = place(Math.min(got, floor));
    this.find(".got").style.width = place(Math.abs(Math.max(got, 0) - Math.max(floor, 0)));
    this.root.dataset.sees = excess > 0.25 ? "much" : excess > 0.1 ? "some" : "nothing";
    const numbers = `SSIM ${got.toFixed(2)}, floor ${floor.toFixed(2)}`;
    const words = verdict(excess);
    this.find(".track").setAttribute("aria-label", numbers);
    this.find(".finding").replaceChildren(strong(words), ` ${numbers}`);
    return `${this.card.title}: label ${label}. ${words} ${numbers}.`;
  }
}

function verdict(excess) {
  if (excess > 0.6) return "It sees your drawing.";
  if (excess > 0.25) return "It sees much of your drawing.";
  if (excess > 0.1) return "It sees a little more than the label.";
  return "It sees no more than the label.";
}

/** "Bits of code:" for the setting code.bits. */
function spelled(setting) {
  const [part, name] = setting.split(/\.(?=[^.]*$)/);
  return `${name[0].toUpperCase()}${name.slice(1)} of ${part}:`;
}

function rounded(bits) {
  return whole.format(Math.round(10 * bits) / 10);
}

function sureness(logits) {
  const most = Math.max(...logits);
  return 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
}

function strong(text) {
  return Object.assign(document.createElement("strong"), { textContent: text });
}

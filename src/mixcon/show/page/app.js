// The page: whatever is drawn goes through every split, and each card shows what comes of it.

import { Card } from "./card.js";
import { read } from "./cloud.js";
import { size } from "./device.js";
import { Pad } from "./pad.js";
import { open, paint, toBytes, toFloats } from "./picture.js";

const at = (id) => document.getElementById(id);

async function start() {
  const [content, examples, guesses] = await Promise.all(
    ["content.json", "examples", "guesses"].map(read));
  const page = new Page(content, examples, guesses);
  page.pad.load(page.example(Math.min(3, content.examples.length - 1)));
}

class Page {
  constructor(content, examples, guesses) {
    Object.assign(this, { content, examples });
    this.cards = content.cards.map((card) => new Card(card, content, guesses, () => this.refresh()));
    at("cards").append(...this.cards.map((card) => card.root));
    this.pad = new Pad(at("pad"), content.shape, content.style,
      (x) => this.take(x), (words) => { at("spoken").textContent = words; });
    const [channels, height, width] = content.shape;
    at("size").textContent = `${width} × ${height} ${channels === 1 ? "gray" : "color"} pixels.`;
    at("attack").textContent = `The cloud's decoder was trained in ${content.steps} steps on `
      + `${content.own.toLocaleString("en")} images of its own (${content.data}), one decoder for each position of `
      + "the dials. It knows the device's weights, and never sees your drawing. A stronger attack may see more.";
    this.addExamples();
    this.addNoise();
    this.addFiles();
    at("clear").addEventListener("click", () => { this.pad.clear(); at("pad").focus(); });
    at("pad").addEventListener("pointerdown", () => { at("hint").hidden = true; });
  }

  example(index) {
    const count = size(this.content.shape);
    return toFloats(this.examples.subarray(index * count, (index + 1) * count));
  }

  addExamples() {
    this.content.examples.forEach((label, index) => {
      const button = document.createElement("button"), canvas = document.createElement("canvas");
      button.type = "button";
      button.setAttribute("aria-label", `Test image of ${this.content.classes[label]}`);
      paint(canvas, toBytes(this.example(index)), this.content.shape);
      button.append(canvas);
      button.addEventListener("click", () => this.pad.load(this.example(index)));
      at("examples").append(button);
    });
  }

  addNoise() {
    const { levels } = this.content, noise = at("noise");
    noise.max = levels.length - 1;
    const tell = () => {
      const level = levels[noise.value];
      const words = level ? `${level} × the spread of what leaves` : "none";
      at("noise-words").textContent = words;
      noise.setAttribute("aria-valuetext", words);
    };
    noise.addEventListener("input", () => { tell(); this.refresh(); });
    tell();
  }

  addFiles() {
    const take = async (file) => {
      this.busy(1);
      try {
        this.pad.load(await open(file, this.content.shape, this.content.style));
        at("hint").hidden = true;
      } catch {
        complain("file", `${file.name} is no image that this browser can read.`);
      } finally {
        this.busy(-1);
      }
    };
    at("file").addEventListener("change", ({ target }) => {
      if (target.files.length) take(target.files[0]);
      target.value = "";
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
    });
  }

  /** A new input, or null for an empty pad. */
  take(x) {
    this.x = x;
    complain("file", "");
    document.body.classList.toggle("empty", !x);
    if (!x) return;
    paint(at("read"), toBytes(x), this.content.shape);
    this.refresh();
  }

  /** Show the newest input; of those that come while one is at work, the last counts. */
  async refresh() {
    if (!this.x) return;
    this.turn = (this.turn ?? 0) + 1;
    if (this.working) return;
    this.working = true;
    this.busy(1);
    try {
      for (let shown = 0; shown !== this.turn;) {
        shown = this.turn;
        await this.round(shown);
      }
      complain("server", "");
    } catch (error) {
      complain("server", `${error.message}. Is mixcon show still running?`);
    } finally {
      this.working = false;
      this.busy(-1);
    }
  }

  /** Begin (1) or end (-1) something that those who look have to wait for. */
  busy(change) {
    this.tasks = (this.tasks ?? 0) + change;
    document.body.setAttribute("aria-busy", String(this.tasks > 0));
  }

  async round(turn) {
    const { x } = this, level = Number(at("noise").value);
    const said = await Promise.all(this.cards.map((card) => card.show(x, level, () => turn === this.turn)));
    if (turn === this.turn) at("spoken").textContent = said.join(" ");
  }
}

const problems = {};

/** What is wrong with the file or the server, or nothing: neither takes back what the other said. */
function complain(whose, words) {
  problems[whose] = words;
  const all = Object.values(problems).filter(Boolean).join(" ");
  at("problem").textContent = all;
  at("problem").hidden = !all;
}

start().catch((error) => complain("server", `${error.message}. Is mixcon show still running?`));

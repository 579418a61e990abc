// Draws what the service tells. Texts go in as text, never as HTML.
"use strict";

/** Of the source, what serves, and the candidate. */
const SCORE_COLOURS = ["#8a93a0", "#2f8f5b", "#c06bd6"];
const HISTORY_S = 180;
const CANARY_POINTS = 240;

const cameras = new Map(); // name -> card
const slots = new Map();

const byId = (id) => document.getElementById(id);
const number = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

function say(text) {
  byId("said").textContent = text;
}

/** Sets a text only where it changed, so that screen readers and selections stay undisturbed. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Rows of a table as texts; the first of each is its head. */
function setRows(body, rows) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, r) => {
    const line = body.rows[r] ?? body.insertRow();
    row.forEach((text, c) => {
      let cell = line.cells[c];
      if (!cell) {
        cell = document.createElement(c === 0 ? "th" : "td");
        if (c === 0) cell.scope = "row";
        line.append(cell);
      }
      setText(cell, text);
    });
  });
}

/** The rows' colours in the charts, beside their heads. */
function setSwatches(body, colours) {
  [...body.rows].forEach((row, r) => {
    row.cells[0].style.setProperty("--swatch", colours[r % colours.length]);
  });
}

// --- Cameras.

class CameraCard {
  constructor(name) {
    this.name = name;
    this.labels = [];
    /** Of the labels. Names stand beside them, so that nothing hangs on the colour. */
    this.colours = [];
    this.seconds = []; // {time, persons}
    this.element = byId("camera-card").content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    setText(this.find("h3"), name);
    this.element.dataset.camera = name;
    this.find(".picture").setAttribute("aria-label", `Picture of ${name}`);
    byId("cameras").append(this.element);
    this.loadHistory();
  }

  async loadHistory() {
    const answer = await fetch(`/api/cameras/${this.name}/timeline`);
    if (!answer.ok) return;
    const history = await answer.json();
    this.labels = history.labels;
    this.colours = history.colours;
    this.seconds = history.seconds.concat(
      this.seconds.filter((one) => !history.seconds.some((known) => known.time === one.time)),
    );
    this.draw();
  }

  update(camera) {
    if (camera.labels.length) {
      this.labels = camera.labels;
      this.colours = camera.colours;
    }
    const pill = this.find(".pill");
    setText(pill, camera.state);
    pill.className = `pill ${camera.state}`;
    setText(
      this.find(".figures"),
      `${camera.fps.toFixed(1)} frames a second · ${number(camera.faces, "face")} now · ` +
        `${number(camera.persons, "person")} seen · ${number(camera.restarts, "restart")}`,
    );
    const reason = this.find(".reason");
    reason.hidden = !camera.reason;
    setText(reason, camera.reason);
    const tags = camera.tags.length ? ` · ${camera.tags.join(", ")}` : "";
    setText(this.find(".tags"), `${camera.uri} · slot ${camera.slot}${tags}`);
    this.find(".picture").hidden = !camera.pictures;
    setRows(
      this.find(".counts tbody"),
      this.labels.map((label) => [label, String(camera.seconds[label] ?? 0)]),
    );
    setSwatches(this.find(".counts tbody"), this.colours);
    if (camera.state !== "playing") this.blank(camera.state);
  }

  add(seconds) {
    this.seconds.push(...seconds);
    this.draw();
  }

  /** One strip a person: from left to right time, from top to bottom the mean of each class. */
  draw() {
    const now = Math.max(Date.now() / 1000, this.seconds.at(-1)?.time ?? 0);
    this.seconds = this.seconds.filter((one) => one.time > now - HISTORY_S);
    const persons = new Map();
    for (const second of this.seconds) {
      for (const person of second.persons) {
        if (!persons.has(person.id)) persons.set(person.id, []);
        persons.get(person.id).push({ ...person, time: second.time });
      }
    }
    const newest = [...persons].sort((a, b) => b[1].at(-1).time - a[1].at(-1).time).slice(0, 4);
    const list = this.find(".persons");
    while (list.children.length > newest.length) list.lastChild.remove();
    newest.forEach(([id, seen], index) => {
      let strip = list.children[index];
      if (!strip) {
        strip = document.createElement("div");
        strip.className = "person";
        const canvas = document.createElement("canvas");
        canvas.width = 2 * HISTORY_S;
        canvas.height = 40;
        canvas.setAttribute("role", "img");
        strip.append(document.createElement("p"), canvas);
        list.append(strip);
      }
      const last = seen.at(-1);
      const top = last.mean.indexOf(Math.max(...last.mean));
      const text =
        `person ${id}: ${this.labels[top] ?? "?"} ${percent(last.mean[top])}` +
        `${last.unsure ? ", unsure" : ""}, ${seen.length} s`;
      setText(strip.firstChild, text);
      strip.lastChild.setAttribute("aria-label", `Expressions over time, ${text}`);
      this.strip(strip.lastChild, seen, now);
    });
    if (!newest.length) setText(list, "");
  }

  strip(canvas, seen, now) {
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (const second of seen) {
      const x = canvas.width - 2 * (Math.floor(now) - second.time + 1);
      let y = 0;
      second.mean.forEach((share, k) => {
        const height = share * canvas.height;
        pen.fillStyle = this.colours[k];
        pen.fillRect(x, y, 2, height);
        y += height;
      });
    }
  }

  async show(jpeg) {
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    const canvas = this.find(".picture");
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    canvas.dataset.pictures = String(Number(canvas.dataset.pictures ?? 0) + 1);
    bitmap.close();
  }

  blank(text) {
    const canvas = this.find(".picture");
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#fff";
    pen.font = `${Math.round(canvas.height / 12)}px sans-serif`;
    pen.textAlign = "center";
    pen.fillText(text, canvas.width / 2, canvas.height / 2);
  }
}

// --- Slots.

class SlotCard {
  constructor(name) {
    this.name = name;
    this.scores = []; // of the canary: {serving, candidate}
    this.shown = 0; // number of the last decision in the list
    this.asking = false; // whether somebody labels faces
    this.question = null; // the one that is shown
    this.waiting = []; // those after it
    this.asked = 0; // when questions were last asked for
    this.element = byId("slot-card").content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    setText(this.find("h3"), name);
    this.element.dataset.slot = name;
    this.show(null);
    for (const button of this.element.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.ask(button.dataset.action));
    }
    this.find(".begin").addEventListener("click", () => this.askForLabels(!this.asking));
    // Keys answer only where the focus is on the question: WCAG 2.1.4.
    this.find(".asking").addEventListener("keydown", (event) => this.key(event));
    byId("slots").append(this.element);
  }

  // --- Label this face.

  /** Faces are shown only once somebody wants to label them. */
  async askForLabels(asking) {
    this.asking = asking;
    this.asked = 0;
    this.waiting = [];
    setText(this.find(".begin"), asking ? "Hide faces" : "Show faces");
    await this.nextQuestion();
    if (this.question) this.find(".question").focus();
  }

  async nextQuestion() {
    const now = Date.now();
    this.waiting = this.waiting.filter((one) => !one.expires || 1000 * one.expires > now);
    if (this.asking && !this.waiting.length && now - this.asked > 1000) {
      this.asked = now;
      await this.fetchQuestions();
    }
    this.show(this.waiting.shift() ?? null);
  }

  async fetchQuestions() {
    try {
      const answer = await fetch(`/api/slots/${this.name}/questions?n=8`);
      const found = await answer.json();
      if (!answer.ok) return say(found.error);
      this.classes = found.labels;
      this.waiting = this.asking ? found.questions : [];
    } catch {
      say("the service does not answer");
    }
  }

  show(question) {
    this.question = question;
    const box = this.find(".question");
    const face = this.find(".face");
    // What is hidden takes no focus, and keeps no picture.
    if (!question && box.contains(document.activeElement)) this.find(".begin").focus();
    box.hidden = !question;
    let hint = "Labels of a few faces teach more than anything else.";
    if (question) hint = `Camera ${question.camera}. A key or a button answers.`;
    else if (this.asking) hint = "No face to ask about yet. One appears as soon as one is remembered.";
    setText(this.find(".hint"), hint);
    if (question) face.src = question.picture;
    else face.removeAttribute("src");
    face.dataset.question = question?.id ?? "";
    if (question && !this.keys) this.addAnswers();
  }

  addAnswers() {
    this.keys = new Map();
    const add = (key, text, answer) => {
      const button = document.createElement("button");
      if (key) {
        const mark = document.createElement("kbd");
        mark.textContent = key;
        button.append(mark);
        button.setAttribute("aria-keyshortcuts", key);
        this.keys.set(key, answer);
      }
      button.append(text);
      button.dataset.answer = answer;
      button.addEventListener("click", () => this.answer(answer));
      this.find(".answers").append(button);
    };
    this.classes.forEach((label, k) => add("1234567890"[k], label, label));
    add("c", "cannot tell", "cannot-tell");
    add("n", "no face", "no-face");
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const answer = this.keys?.get(event.key.toLowerCase());
    if (answer) this.answer(answer);
  }

  async answer(text) {
    const question = this.question;
    if (!question) return;
    this.question = null; // No second answer by an impatient key.
    try {
      const taken = await post(`/api/slots/${this.name}/answers`, { id: question.id, answer: text });
      say(taken.ok ? `answered: ${text}` : (await taken.json()).error);
    } catch {
      say("the service does not answer");
    }
    await this.nextQuestion();
  }

  async ask(action) {
    if (action === "reset") {
      const text = `Throw away all that the slot ${this.name} learnt, and serve its source model?`;
      setText(byId("confirm-text"), text);
      const dialog = byId("confirm");
      dialog.showModal();
      await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
      if (dialog.returnValue !== "yes") return;
    }
    const answer = await post(`/api/slots/${this.name}/${action}`);
    say(answer.ok ? `${action}: asked for` : `${action}: ${(await answer.json()).error}`);
  }

  update(slot) {
    const learner = slot.learner;
    const pill = this.find(".pill");
    const kind = !slot.learns ? "serving" : learner.paused ? "paused" : "learning";
    setText(pill, kind);
    pill.className = `pill ${kind}`;
    for (const part of [".buttons", ".canary"]) this.find(part).hidden = !slot.learns;
    if (!slot.learns) {
      setText(this.find(".figures"), `version ${slot.version || "not loaded yet"}; nothing learns`);
      setRows(this.find(".versions tbody"), [["serving", slot.version, "", ""]]);
      return;
    }
    const pause = this.find('[data-action="pause"], [data-action="resume"]');
    pause.dataset.action = learner.paused ? "resume" : "pause";
    setText(pause, learner.paused ? "Resume" : "Pause");
    setText(
      this.find(".figures"),
      `${number(learner.steps, "step")} · ${learner.memory} of ${learner.memory_capacity} ` +
        `tracklets remembered · ${number(learner.labels, "label")} · ` +
        `${number(learner.promotions, "promotion")} · ${number(learner.rollbacks, "rollback")}`,
    );
    setRows(this.find(".versions tbody"), [
      ["source", learner.source_version, percent(learner.source_score),
        percent(learner.source_accuracy)],
      ["serving", learner.serving_version, percent(learner.serving_score),
        percent(learner.serving_accuracy)],
      learner.candidate_version
        ? ["candidate", learner.candidate_version, percent(learner.candidate_score),
          percent(learner.candidate_accuracy)]
        : ["candidate", "none yet", "", ""],
    ]);
    setSwatches(this.find(".versions tbody"), SCORE_COLOURS);
    setRows(
      this.find(".classes tbody"),
      slot.labels.filter((label) => learner.classes[label]).map((label) => {
        const one = learner.classes[label];
        return [label, one.threshold.toFixed(3), percent(one.accept_rate), String(one.accepted),
          String(one.remembered)];
      }),
    );
    if (learner.source_score > 0) {
      this.scores.push({
        source: learner.source_score,
        serving: learner.serving_score,
        candidate: learner.candidate_score || learner.source_score,
      });
    }
    this.scores = this.scores.slice(-CANARY_POINTS);
    this.drawCanary();
    this.find(".asking").hidden = !slot.asks;
    const expired = this.question?.expires && 1000 * this.question.expires <= Date.now();
    if (this.asking && (expired || this.find(".question").hidden)) this.nextQuestion();
    for (const event of slot.events) this.decision(event);
  }

  decision(event) {
    if (event.number <= this.shown) return;
    this.shown = event.number;
    const line = document.createElement("li");
    const time = new Date(1000 * event.time).toLocaleTimeString();
    line.textContent = `${time} ${event.kind}: ${event.text}`;
    const list = this.find(".decisions");
    list.prepend(line);
    while (list.children.length > 50) list.lastChild.remove();
    say(`${this.name}: ${event.kind}`);
  }

  drawCanary() {
    const canvas = this.find(".canary");
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const all = this.scores.flatMap((one) => Object.values(one)).filter((score) => score > 0);
    if (!all.length) return;
    const low = Math.min(...all) - 0.01;
    const high = Math.max(...all) + 0.01;
    const y = (score) => canvas.height * (1 - (score - low) / (high - low));
    ["source", "serving", "candidate"].forEach((kind, k) => {
      pen.strokeStyle = SCORE_COLOURS[k];
      pen.lineWidth = kind === "serving" ? 3 : 1.5;
      pen.beginPath();
      this.scores.forEach((one, i) => {
        const x = canvas.width - (this.scores.length - 1 - i) * (canvas.width / CANARY_POINTS);
        if (i === 0) pen.moveTo(x, y(one[kind]));
        else pen.lineTo(x, y(one[kind]));
      });
      pen.stroke();
    });
    const last = this.scores.at(-1);
    canvas.setAttribute(
      "aria-label",
      `Macro recall on the canary over time: source ${percent(last.source)}, ` +
        `serving ${percent(last.serving)}, candidate ${percent(last.candidate)}`,
    );
  }
}

// --- The service.

function post(path, json) {
  return fetch(path, {
    method: "POST",
    headers: { "X-Fer": "1", "Content-Type": "application/json" },
    body: json === undefined ? "" : JSON.stringify(json),
  });
}

/** Keeps the cards in line with the names, in their order. */
function match(cards, things, Card) {
  const names = new Set(things.map((one) => one.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.element.remove();
    cards.delete(name);
  }
  for (const one of things) {
    if (!cards.has(one.name)) cards.set(one.name, new Card(one.name));
    cards.get(one.name).update(one);
  }
}

function listen() {
  const events = new EventSource("/api/events");
  const link = byId("link");
  events.addEventListener("open", () => setText(link, "connected"));
  events.addEventListener("error", () => setText(link, "connection lost, trying again"));
  events.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    match(cameras, state.cameras, CameraCard);
    match(slots, state.slots, SlotCard);
    setText(link, `connected · ${state.ready ? "all cameras play" : "not every camera plays"}`);
  });
  events.addEventListener("seconds", (event) => {
    for (const [name, seconds] of Object.entries(JSON.parse(event.data))) {
      cameras.get(name)?.add(seconds);
    }
  });
  events.addEventListener("decision", (event) => {
    const decision = JSON.parse(event.data);
    slots.get(decision.slot)?.decision(decision);
  });
}

/** All cameras' pictures over one connection: lines "NAME BYTES", each followed by a JPEG. */
async function readPictures(reader) {
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    for (;;) {
      const newline = held.indexOf(10);
      if (newline < 0) break;
      const [name, size] = new TextDecoder().decode(held.subarray(0, newline)).split(" ");
      const end = newline + 1 + Number(size);
      if (held.length < end) break;
      const jpeg = held.slice(newline + 1, end);
      held = held.slice(end);
      cameras.get(name)?.show(jpeg);
    }
  }
}

/** Pictures while the page is looked at; hidden ones cost the cameras nothing. */
async function watch() {
  for (;;) {
    if (document.visibilityState === "visible") {
      const stop = new AbortController();
      const hide = () => document.visibilityState === "hidden" && stop.abort();
      document.addEventListener("visibilitychange", hide);
      try {
        const answer = await fetch("/api/pictures", { signal: stop.signal });
        if (answer.ok) await readPictures(answer.body.getReader());
      } catch {
        // Gone, or hidden: tried again below.
      }
      document.removeEventListener("visibilitychange", hide);
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

listen();
watch();

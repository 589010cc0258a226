// Predictions without a kernel: asked, committed to, and answered once what the run gave has been looked at. The cards
// are those of the notebooks (predict.js, before this file as `coursePrediction`); all words come with the page.
(() => {
  "use strict";
  const KEY = "keras-callbacks-course";
  let memory = {};

  // A browser may refuse to keep anything, for a page from disk for example: then answers live as long as the page.
  function read() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? memory;
    } catch {
      return memory;
    }
  }

  function keep(id, news) {
    const all = read();
    all[id] = { ...all[id], ...news };
    memory = all;
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {}
  }

  function forget() {
    memory = {};
    try {
      localStorage.removeItem(KEY);
    } catch {}
    location.reload();
  }

  // What predict.js asks of anywidget's model.
  function modelOf(state, send) {
    const reactions = {};
    return {
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        for (const react of reactions[`change:${name}`] ?? []) react();
      },
      save_changes() {},
      on(events, react) {
        for (const event of events.split(" ")) (reactions[event] ??= []).push(react);
      },
      off() {},
      send,
    };
  }

  function make(tag, className, text = "") {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
  }

  function button(text, press) {
    const node = make("button", "course-button", text);
    node.type = "button";
    node.addEventListener("click", press);
    return node;
  }

  class Question {
    constructor(place) {
      this.id = place.dataset.courseQuestion;
      const named = (what) => document.querySelector(`[data-course-${what}="${CSS.escape(this.id)}"]`);
      this.texts = JSON.parse(named("texts").textContent);
      this.end = named("outcome");
      const kept = read()[this.id] ?? {};
      this.late = Boolean(kept.late);
      this.revealed = Boolean(kept.revealed);
      this.sentence = kept.ask === this.texts.ask ? kept.sentence : undefined;
      const index = this.texts.texts.indexOf(kept.text);
      this.ask(place, index < 0 ? null : index);
      this.veil(place);
      this.offer();
      if (this.revealed) this.tell();
      else if (this.committed !== null) this.show();
    }

    get committed() {
      return this.model.get("committed");
    }

    ask(place, index) {
      const { heading, question, answers } = this.texts;
      const says = index === null ? "" : this.says(index);
      const state = { kind: "predict", heading, question, answers, chosen: index, committed: index, says };
      // Later, as a kernel would answer: the card is still busy with the press.
      this.model = modelOf(state, (message) => setTimeout(() => this.commit(message.commit)));
      place.replaceChildren();
      coursePrediction.render({ model: this.model, el: place });
    }

    says(index) {
      return this.texts[this.late ? "late" : "committed"][index];
    }

    commit(index) {
      if (this.committed !== null) return;
      this.late = this.revealed;
      keep(this.id, { text: this.texts.texts[index], late: this.late });
      this.model.set("says", this.says(index));
      this.model.set("committed", index);
      this.show();
      this.offer();
      if (this.revealed) this.tell();
    }

    // What answers the question is covered until it was committed to, or until somebody does without.
    veil(place) {
      this.veils = [];
      for (const output of document.querySelectorAll(".cell_output")) {
        const after = place.compareDocumentPosition(output) & Node.DOCUMENT_POSITION_FOLLOWING;
        const before = output.compareDocumentPosition(this.end) & Node.DOCUMENT_POSITION_FOLLOWING;
        if (!after || !before || output.contains(place)) continue;
        const cover = make("div", "course-veil");
        const words = make("p", "", `What this code gave answers ${this.texts.heading.replace("Predict ", "prediction ")}, above.`);
        const see = button("Show it without an answer of mine", () => {
          this.show();
          output.tabIndex = -1;
          output.focus();
        });
        see.classList.add("course-quiet");
        cover.append(words, see);
        output.before(cover);
        output.hidden = true;
        this.veils.push([cover, output]);
      }
    }

    show() {
      for (const [cover, output] of this.veils) {
        cover.remove();
        output.hidden = false;
      }
      this.veils = [];
    }

    // One press, below the output: so the verdict comes after a look at it.
    offer() {
      if (this.revealed) return;
      const mine = this.committed !== null;
      const text = mine ? "I have looked: how did my answer come out?" : "I have looked: what is the answer?";
      this.status = make("div", "");
      this.status.setAttribute("role", "status");
      this.end.replaceChildren(button(text, () => {
        this.reveal();
        this.end.tabIndex = -1;
        (this.end.querySelector("input") ?? this.end).focus({ preventScroll: true });
      }), this.status);
    }

    reveal() {
      this.revealed = true;
      keep(this.id, { revealed: true });
      this.end.querySelector(".course-button").remove();
      this.tell();
    }

    get outcome() {
      const { none, outcomes, lateOutcomes } = this.texts;
      return this.committed === null ? none : (this.late ? lateOutcomes : outcomes)[this.committed];
    }

    tell() {
      this.show();
      const place = this.status ?? this.end;
      if (!this.texts.ask) {
        place.innerHTML = this.outcome.html;
        return;
      }
      const { before, body, colour } = this.outcome;
      const asking = this.sentence === undefined;
      const state = { kind: "reveal", heading: this.texts.outcomeHeading, ask: this.texts.ask, before, body, colour, sentence: this.sentence ?? "", asking,
        help: this.texts.help };
      const model = modelOf(state, () => {});
      model.on("change:sentence", () => keep(this.id, { sentence: model.get("sentence"), ask: this.texts.ask }));
      // Not in a status of its own: the card has one.
      this.end.replaceChildren();
      coursePrediction.render({ model, el: this.end });
    }
  }

  function begin() {
    for (const place of document.querySelectorAll("[data-course-question]")) new Question(place);
    for (const place of document.querySelectorAll("[data-course-forget]")) place.addEventListener("click", forget);
  }

  // The search of the whole site reads pages for their excerpts, which a browser forbids from disk.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();

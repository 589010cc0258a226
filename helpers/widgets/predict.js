// Both halves of a prediction. `kind` "predict" asks: answers, one of them committed to. `kind` "reveal" asks, after the
// run, for one sentence of the learner's own, and then shows the explanation. All words and HTML come from Python.

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const PATIENCE = 4000; // milliseconds until a kernel that does not answer is called busy
// Each widget may load this module anew, so that a number alone would stand twice on the page.
const own = Math.random().toString(36).slice(2);
let made = 0;

export default { render };

function render({ model, el }) {
  const card = make("div", "course-card");
  card.append(make("div", "course-head", model.get("heading")));
  el.append(card);
  const part = model.get("kind") === "predict" ? question(model, card) : sentence(model, card);

  // JupyterLab and Notebook 7 take arrow keys, Enter and letters for the notebook, in a listener on the document. A
  // capturing listener on the window comes first. What the browser itself does with a key is not touched.
  const keys = (event) => {
    if (!card.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    const enter = event.key === "Enter" && event.shiftKey;
    if (enter && !nextCell(card)) return;
    event.stopImmediatePropagation();
    if (part.key(event)) event.preventDefault();
  };
  window.addEventListener("keydown", keys, true);
  return () => {
    window.removeEventListener("keydown", keys, true);
    part.end();
  };
}

function question(model, card) {
  const id = `course-question-${own}-${++made}`;
  const text = make("div", "course-question", model.get("question"));
  text.id = id;
  const group = make("div", "course-answers");
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-labelledby", id);
  const radios = model.get("answers").map((answer, index) => {
    const label = make("label", "course-answer");
    const radio = make("input");
    Object.assign(radio, { type: "radio", name: `${id}-answer`, value: index });
    radio.addEventListener("change", () => choose(index));
    label.append(radio, make("span", "course-letter", LETTERS[index]), make("span", "course-text", answer));
    group.append(label);
    return radio;
  });
  const button = make("button", "course-button");
  button.type = "button";
  button.addEventListener("click", commit);
  const status = make("div", "course-status");
  status.setAttribute("role", "status");
  card.append(text, group, button, status);
  let waiting = null;

  function choose(index) {
    model.set("chosen", index);
    model.save_changes();
    radios[index].focus({ preventScroll: true });
  }

  function commit() {
    const chosen = model.get("chosen");
    if (model.get("committed") !== null || waiting) return;
    if (chosen === null) {
      status.textContent = "Choose an answer first, then commit to it.";
      return;
    }
    model.send({ commit: chosen });
    status.textContent = `Committing to ${LETTERS[chosen]} …`;
    waiting = setTimeout(() => {
      status.textContent =
        `${LETTERS[chosen]} is kept as soon as the kernel is free. If nothing runs, run this cell again and commit anew.`;
    }, PATIENCE);
    draw();
    goOn(card);
  }

  function draw() {
    const [chosen, committed] = [model.get("chosen"), model.get("committed")];
    const over = committed !== null || waiting !== null;
    radios.forEach((radio, index) => {
      radio.checked = index === (committed ?? chosen);
      radio.disabled = over;
    });
    card.classList.toggle("course-over", over);
    // Hidden once it has nothing to do, but never under the focus, which would be lost.
    button.hidden = committed !== null && document.activeElement !== button;
    button.setAttribute("aria-disabled", String(over));
    button.textContent =
      committed !== null ? `Committed to ${LETTERS[committed]}` : chosen === null ? "Commit" : `Commit to ${LETTERS[chosen]}`;
  }

  function heard() {
    clearTimeout(waiting);
    waiting = null;
    status.innerHTML = model.get("says");
    draw();
  }

  model.on("change:chosen", draw);
  model.on("change:committed change:says", heard);
  heard();
  return {
    key(event) {
      if (event.key === "Enter" && event.shiftKey) return goOn(card);
      if (event.key === "Enter" && event.target !== button) return commit(), true;
      const index = LETTERS.indexOf(event.key.toUpperCase());
      if (event.key.length === 1 && index >= 0 && index < radios.length && !radios[index].disabled) {
        choose(index);
        return true;
      }
      return false;
    },
    end() {
      clearTimeout(waiting);
      model.off("change:chosen", draw);
      model.off("change:committed change:says", heard);
    },
  };
}

function sentence(model, card) {
  const id = `course-sentence-${own}-${++made}`;
  const form = make("div", "course-form");
  const label = make("label", "course-question", model.get("ask"));
  const field = make("input", "course-field");
  const help = make("div", "course-help", model.get("help"));
  Object.assign(label, { htmlFor: id });
  Object.assign(field, { id, type: "text", maxLength: 400, autocomplete: "off", spellcheck: false });
  help.id = `${id}-help`;
  field.setAttribute("aria-describedby", help.id);
  const row = make("div", "course-row");
  const keep = make("button", "course-button", "Keep");
  const skip = make("button", "course-button course-quiet", "Skip");
  keep.type = skip.type = "button";
  keep.addEventListener("click", () => done(field.value));
  skip.addEventListener("click", () => done(""));
  row.append(field, keep, skip);
  form.append(make("div", "", model.get("before")), label, row, help);
  const status = make("div", "course-status");
  status.setAttribute("role", "status");
  card.append(form, status);
  let ended = false;

  function done(text) {
    model.set("asking", false);
    model.set("sentence", text.trim());
    model.save_changes();
    goOn(card);
  }

  function draw() {
    const asking = model.get("asking");
    form.hidden = !asking;
    if (asking) return;
    card.style.borderLeftColor = model.get("colour");
    status.innerHTML = model.get("body");
    const yours = status.querySelector("[data-yours]");
    if (model.get("sentence")) yours.querySelector("p").textContent = model.get("sentence");
    else yours.remove();
  }

  // Whoever ran the cell by Shift+Enter stands on the next cell now, and may write at once. Nobody else is moved.
  function offer(tries) {
    if (ended || !model.get("asking")) return;
    const next = nextCell(card);
    if (!next && tries) return requestAnimationFrame(() => offer(tries - 1));
    if (next?.matches(".jp-mod-commandMode .jp-mod-active") && next.contains(document.activeElement)) {
      field.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }
  }

  model.on("change:asking change:sentence", draw);
  draw();
  offer(30);
  return {
    key(event) {
      if (event.key === "Enter" && event.target === skip) return done(""), true;
      if (event.key === "Enter") return done(field.value), true;
      if (event.key === "Escape") return done(""), true;
      return false;
    },
    end() {
      ended = true;
      model.off("change:asking change:sentence", draw);
    },
  };
}

// The cell below the one that shows this card, in JupyterLab and Notebook 7; elsewhere nothing.
function nextCell(card) {
  let next = card.closest(".jp-Cell")?.nextElementSibling;
  while (next && !next.classList.contains("jp-Cell")) next = next.nextElementSibling;
  return next ?? null;
}

// With the focus on the next cell, Shift+Enter runs that one, and does not ask the question again.
function goOn(card) {
  const next = nextCell(card);
  if (!next) return false;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function make(tag, className = "", html = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.innerHTML = html;
  return node;
}

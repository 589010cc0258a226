// The search of the pitfall lab in a page: helpers/pitfalls without Python. All rules, weights and texts come from there
// as `coursePitfalls` (course_site/_search.py); a test holds what is found here against what is found there.
(() => {
  "use strict";
  const RULES = window.coursePitfalls;
  const MOST = 5, MOST_CHARACTERS = 40000;
  const made = new Map();
  const regex = ([source, flags]) => {
    const key = `${flags} ${source}`;
    if (!made.has(key)) made.set(key, new RegExp(source, flags));
    return made.get(key);
  };
  const all = (rule) => regex(rule);
  const once = (rule) => regex([rule[0], rule[1].replace("g", "")]);
  // As Python's `match`: from the beginning.
  const begins = (rule, text) => {
    const sticky = regex([rule[0], rule[1].replace("g", "y")]);
    sticky.lastIndex = 0;
    return sticky.exec(text);
  };
  const lines = (text) => {
    const parts = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
    if (parts.at(-1) === "") parts.pop();
    return parts;
  };
  const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);

  // -- _terms ----------------------------------------------------------------------------------------------------

  const WORDS = RULES.terms;
  const COMMON = new Set(WORDS.common), SAME = new Map(Object.entries(WORDS.same)), FIELD = new Set(WORDS.field);
  const [NAME, PART, PAIR, OFTEN] = WORDS.weights;

  function bare(word) {
    if (word.includes("_")) return word;
    let stem = word;
    while (stem.length > 4) {
      const shorter = stem.replace(once(WORDS.ending), "");
      if (shorter === stem || shorter.length <= 2) break;
      stem = shorter;
    }
    const last = stem.at(-1);
    if (stem.length > 3 && (last === "e" || (last === stem.at(-2) && !"sl".includes(last)))) stem = stem.slice(0, -1);
    return stem;
  }

  function stemOf(word) {
    const stem = bare(word);
    return SAME.get(stem) ?? stem;
  }

  function partsOf(word) {
    const pieces = word.split("_").flatMap((name) => name.split(all(WORDS.camel)));
    if (pieces.length < 2) return [];
    return pieces.filter((one) => one.length > 1 && !COMMON.has(one.toLowerCase())).map((one) => stemOf(one.toLowerCase())).filter(Boolean);
  }

  function termsOfOne(text) {
    for (const [source, flags, to] of WORDS.phrases) text = text.replace(regex([source, flags]), () => to);
    text = text.replace(all(WORDS.not), " negated ");
    const found = new Map();
    let before = "";
    for (const [word] of text.matchAll(all(WORDS.word))) {
      if (word === "negated") {
        before = word;
        continue;
      }
      const stem = stemOf(word.toLowerCase().replace(/^_+|_+$/g, ""));
      if (COMMON.has(stem) || COMMON.has(word.toLowerCase())) continue;
      const parts = partsOf(word);
      found.set(stem, parts.length ? NAME : 1);
      for (const part of parts) if (!found.has(part)) found.set(part, PART);
      if (before && before !== stem) found.set(`${before} ${stem}`, PAIR);
      before = stem;
    }
    return found;
  }

  function terms(texts) {
    const found = new Map(), often = new Map();
    for (const text of texts) {
      for (const [term, weight] of termsOfOne(text)) {
        found.set(term, Math.max(found.get(term) ?? 0, weight));
        often.set(term, (often.get(term) ?? 0) + 1);
      }
    }
    return new Map([...found].map(([term, weight]) => [term, (weight * (1 + OFTEN)) / (1 + OFTEN / often.get(term))]));
  }

  // -- _paste ----------------------------------------------------------------------------------------------------

  const PASTE = RULES.paste;

  function unescaped(text) {
    return text.replace(/&(?:#\d+|#x[\da-f]+|\w+);/gi, (entity) => {
      const node = document.createElement("textarea");
      node.innerHTML = entity;
      return node.value;
    });
  }

  const pathless = (text) => text.replace(all(PASTE.path), "").replace(all(PASTE.listed), (_, names) => PASTE.validated[Number(names.includes("val_"))]);

  function read(text) {
    text = unescaped(text).replace(all(PASTE.colour), "");
    text = [...text].map((letter) => PASTE.quotes[letter] ?? letter).join("");
    text = text.replace(all(PASTE.blob), (_, one = "", other = "") => one + other);
    const errors = [], warnings = [], rest = [], frames = [];
    let within = "";
    for (const line of lines(text)) {
      let plain = line;
      for (const prefix of PASTE.prefixes) plain = plain.replace(once(prefix), "");
      let told;
      if (begins(PASTE.frame, plain)) {
        frames.push(line);
        within = plain.replace(/^[|+* ]+/, "").startsWith('File "') ? "frame" : "cell";
      } else if (begins(PASTE.arrow, plain)) {
        frames.push(line);
        within = "cell";
      } else if (begins(PASTE.scaffold, plain)) frames.push(line);
      else if (!plain.trim()) within = "";
      else if (within === "cell" && begins(PASTE.numbered, plain)) frames.push(line);
      else if ((told = begins(PASTE.raised, plain))) {
        within = told[1].endsWith("Warning") ? "warning" : "";
        (within ? warnings : errors).push(plain.trim());
      } else if ((told = begins(PASTE.warned, plain))) {
        warnings.push(`${told[1]}: ${told[2]}`);
        within = "warning";
      } else if (within === "frame" || (within === "code" && plain.startsWith("    "))) {
        frames.push(line);
        within = "code";
      } else if (within === "warning" && plain.startsWith("  ")) {
        frames.push(line);
        within = "";
      } else if (begins(PASTE.progress, plain)) rest.push(...Array.from(plain.matchAll(all(PASTE.odd)), ([one]) => one));
      else rest.push(plain);
    }
    const paste = {
      errors: [...new Set(errors.reverse())].map(pathless),
      warnings: [...new Set(warnings)].map(pathless),
      rest: pathless(rest.join("\n")),
      frames: frames.join("\n"),
    };
    const packages = Array.from(paste.frames.matchAll(all(PASTE.package)), ([, name]) => name);
    paste.isOfOthers = packages.length > 0 && !packages.some((name) => begins(PASTE.of_keras, name));
    paste.said = [...paste.errors, ...paste.warnings, paste.rest].join("\n");
    return paste;
  }

  // -- _messages -------------------------------------------------------------------------------------------------

  const MESSAGES = RULES.messages;
  const flat = (text) => text.toLowerCase().trim().split(/\s+/).join(" ").replace(all(MESSAGES.quote), "'");
  const split = (text) => text.match(/[a-z0-9_]+/g) ?? [];

  function inOrder(one, other) {
    const best = Array.from({ length: other.length + 1 }, () => []);
    for (const word of one) {
      let before = [];
      other.forEach((theirs, index) => {
        const place = index + 1, kept = best[place];
        if (word === theirs) best[place] = [...before, word];
        else best[place] = best[place - 1].length > best[place].length ? best[place - 1] : best[place];
        before = kept;
      });
    }
    return best.at(-1);
  }

  function nearly(message, line) {
    const words = split(flat(line.replace(once(MESSAGES.type), "")));
    const own = new Set(message.words), shared = new Set(words.filter((word) => own.has(word)));
    if (shared.size < MESSAGES.least || !message.names.every((name) => shared.has(name))) return 0;
    const common = inOrder(message.words, words);
    const enough = Math.max(MESSAGES.least, MESSAGES.enough * Math.min(message.words.length, words.length));
    return common.length >= enough ? 0.9 * sum(common.map((word) => word.length)) : 0;
  }

  function matches(message, paste) {
    if (once(message.pattern).test(flat(paste.said))) return message.length;
    return Math.max(0, ...[...paste.errors, ...paste.warnings, ...lines(paste.rest)].map((line) => nearly(message, line)));
  }

  // -- _search ---------------------------------------------------------------------------------------------------

  const SETTINGS = RULES.search;

  class Shelf {
    constructor({ bags, weight }) {
      this.bags = bags.map((bag) => new Map(bag));
      this.weight = new Map(weight);
      this.unknown = SETTINGS.unknown * Math.max(...this.weight.values());
      this.begin = new Map();
      for (const term of this.weight.keys()) {
        if (term.includes(" ") || term.length <= 4) continue;
        const first = term.slice(0, 2);
        this.begin.set(first, [...(this.begin.get(first) ?? []), term]);
      }
      const counts = new Map();
      for (const bag of this.bags)
        for (const [term, weight] of bag) counts.set(term, (counts.get(term) ?? 0) + (weight >= 1 && !term.includes(" ")));
      this.common = new Set([...counts].filter(([, count]) => count >= this.bags.length / 8).map(([term]) => term));
    }

    score(asked, place) {
      const bag = this.bags[place];
      let total = 0;
      for (const [term, weight] of asked) if (bag.has(term)) total += weight * bag.get(term) * this.weight.get(term);
      return total;
    }

    share(asked, place) {
      let whole = 0;
      for (const [term, weight] of asked) whole += weight * (this.weight.get(term) ?? this.unknown);
      return whole ? this.score(asked, place) / whole : 0;
    }

    known(asked) {
      const mended = new Map();
      for (const [term, weight] of asked) {
        const own = this.weight.has(term);
        if (!own && term.includes(" ")) continue;
        const near = own ? null : closest(term, this.begin.get(term.slice(0, 2)) ?? []);
        mended.set(near ?? term, near === null ? weight : 0.7 * weight);
      }
      return mended;
    }
  }

  // Python's difflib.get_close_matches(word, words, 1, 0.8).
  function closest(word, words) {
    let best = null;
    for (const one of words) {
      const ratio = (2 * matching(one, word)) / (one.length + word.length);
      if (ratio >= 0.8 && (best === null || ratio > best[0] || (ratio === best[0] && one > best[1]))) best = [ratio, one];
    }
    return best && best[1];
  }

  function matching(a, b) {
    let [start, other, size] = [0, 0, 0];
    let lengths = [];
    for (let i = 0; i < a.length; i += 1) {
      const next = [];
      for (let j = 0; j < b.length; j += 1) {
        if (a[i] !== b[j]) continue;
        next[j] = (lengths[j - 1] ?? 0) + 1;
        if (next[j] > size) [start, other, size] = [i - next[j] + 1, j - next[j] + 1, next[j]];
      }
      lengths = next;
    }
    if (!size) return 0;
    return size + matching(a.slice(0, start), b.slice(0, other)) + matching(a.slice(start + size), b.slice(other + size));
  }

  const troubles = new Shelf(RULES.troubles), lessons = new Shelf(RULES.lessons);

  // Places are numbers into the troubles and the kinds of questions that the lab does not hold, in this order.
  const TROUBLES = RULES.pitfalls.length;

  function rank(paste, asked) {
    const fits = MESSAGES.of.map((ones) => ones.map((one) => [one, matches(one, paste)]).filter(([, length]) => length));
    const told = new Set(fits.flatMap((ones) => ones.flatMap(([one]) => one.terms)));
    let beside = new Map([...asked].filter(([term]) => !told.has(term)));
    const alone = [...beside.keys()].filter((term) => !term.includes(" ")).length < SETTINGS.short;
    const lengths = fits.map((ones) => Math.max(0, ...ones.filter(([one]) => alone || !one.log).map(([, length]) => length)));
    if (lengths.some(Boolean)) {
      const frames = [...terms(lines(paste.frames))].map(([term, weight]) => [term, weight * SETTINGS.frames]);
      beside = new Map([...frames, ...beside]);
    }
    const ranks = lengths.map((length, place) => length
      ? [length, troubles.score(beside, place) + SETTINGS.few * MESSAGES.few[place]]
      : [0, troubles.score(asked, place) + (fits[place].length ? SETTINGS.log : 0)]);
    const places = ranks.map((_, place) => place);
    places.sort((one, other) => ranks[other][0] - ranks[one][0] || ranks[other][1] - ranks[one][1] || one - other);
    return [places, fits[places[0]].length > 0];
  }

  const rival = (asked, trouble, kind) => troubles.score(asked, kind) / (troubles.score(asked, trouble) || 1);

  function order(paste, asked) {
    const [ranked, told] = rank(paste, asked);
    const places = ranked.filter((place) => place < TROUBLES), best = ranked.find((place) => place >= TROUBLES);
    const ours = [...asked].some(([term, weight]) => weight > 1 && FIELD.has(term));
    const beaten = rival(asked, places[0], best) > (ours ? SETTINGS.ours : SETTINGS.rival);
    return [places, told, (told ? ranked[0] === best : beaten) ? best - TROUBLES : null];
  }

  function isFit(paste, asked, place) {
    const share = troubles.share(asked, place);
    const against = Math.max(...RULES.notes.kinds.map((_, kind) => rival(asked, place, TROUBLES + kind)));
    const evidence = (troubles.score(asked, place) * share) / (SETTINGS.alone + against);
    const keys = [...asked.keys()];
    const enough = keys.some((term) => FIELD.has(term)) ? SETTINGS.named : keys.some((term) => troubles.common.has(term)) ? SETTINGS.known : SETTINGS.far;
    if (paste.errors.length || paste.warnings.length) return share >= SETTINGS.most && evidence >= Math.max(enough, SETTINGS.error);
    return evidence >= enough;
  }

  function nearest(asked) {
    const whole = new Map([...asked].filter(([, weight]) => weight >= 1));
    const scores = RULES.sections.map((_, place) => lessons.score(whole, place));
    const places = scores.map((_, place) => place).sort((one, other) => scores[other] - scores[one] || one - other);
    return places.slice(0, 2).filter((place) => scores[place] > 0);
  }

  function find(text) {
    const paste = read(text);
    const asked = troubles.known(terms([...paste.errors, ...paste.warnings, ...lines(paste.rest)]));
    const [places, told, kind] = order(paste, asked);
    const sure = kind === null && !paste.isOfOthers && (told || isFit(paste, asked, places[0]));
    const sections = nearest(asked);
    const names = [...asked].filter(([, weight]) => weight >= 1).map(([term]) => term);
    const known = sections.length > 0 && names.length > 0 && names.length <= SETTINGS.short;
    const own = known ? new Set(RULES.sections[sections[0]].names) : null;
    const explained = !paste.errors.length && !(told && kind !== null) && known && names.every((name) => own.has(name));
    if (explained && !names.every((name) => troubles.bags[places[0]].has(name))) return { pitfalls: [], sections, note: "explained", fits: true };
    const scores = places.map((place) => troubles.score(asked, place));
    const least = scores[0] / (told ? SETTINGS.told : SETTINGS.near);
    const near = places.filter((_, index) => scores[index] > least), fits = sure || explained;
    if (!fits) return { pitfalls: near.slice(0, SETTINGS.none), sections, note: "nothing", kind, fits };
    return { pitfalls: near.slice(0, MOST), sections, note: "fits", fits };
  }

  // -- the page --------------------------------------------------------------------------------------------------

  function table(head, rows) {
    const cells = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("");
    return `<table><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>${cells}</tbody></table>`;
  }

  function shown(found) {
    const parts = [RULES.notes.kinds[found.kind ?? -1] ?? RULES.notes[found.note]];
    if (found.pitfalls.length) parts.push(table(["Trouble", "What you see, and the fix"], found.pitfalls.map((place) => RULES.pitfalls[place].html)));
    if (found.sections.length) parts.push(table(["Explained under", "Lesson"], found.sections.map((place) => RULES.sections[place].html)));
    return parts.join("");
  }

  function summary(found) {
    if (!found.fits) return "Nothing fits well.";
    const first = found.pitfalls.length ? RULES.pitfalls[found.pitfalls[0]].heading : `lesson ${RULES.sections[found.sections[0]].number}`;
    return `${found.pitfalls.length + found.sections.length} results. First: ${first}.`;
  }

  function begin() {
    for (const place of document.querySelectorAll("[data-course-search]")) {
      const [field, status, results] = [place.querySelector("textarea"), place.querySelector("[role=status]"), place.querySelector("[data-course-found]")];
      const search = () => {
        let text = field.value;
        if (text.length > MOST_CHARACTERS) text = `${text.slice(0, MOST_CHARACTERS / 2)}\n${text.slice(-MOST_CHARACTERS / 2)}`;
        const found = /\p{L}/u.test(text) ? find(text) : null;
        results.innerHTML = found ? shown(found) : "";
        status.textContent = found ? summary(found) : "";
      };
      field.addEventListener("input", search);
      search();
    }
  }

  window.courseFind = find;
  begin();
})();

const pages = [...document.querySelectorAll("section")];
let shown = Math.max(0, pages.findIndex((page) => `#${page.id}` === decodeURIComponent(location.hash)));

// The largest letters with which a page still fits, between a third of the usual size and a little more than that.
function fit(page, name) {
  const sheet = page.firstElementChild;
  let low = 0.33, high = 1.25;
  for (let step = 0; step < 7; step++) {
    const middle = (low + high) / 2;
    sheet.style.setProperty("--fit", middle);
    const fits = sheet.scrollHeight <= page.clientHeight && sheet.scrollWidth <= page.clientWidth;
    if (fits) low = middle; else high = middle;
  }
  sheet.style.setProperty(name, low);
  return low;
}

function fitScreen() {
  for (const page of pages) fit(page, "--fit");
}

// In a box of the paper's shape; the same variable is tried for both.
function fitPaper() {
  for (const page of pages) {
    page.style.cssText = "inset:auto;width:1171px;height:800px";
    fit(page, "--fit-print");
    page.style.cssText = "";
  }
  fitScreen();
}

function show(number) {
  shown = Math.min(Math.max(number, 0), pages.length - 1);
  pages.forEach((page, place) => page.classList.toggle("on", place === shown));
  history.replaceState(null, "", `#${pages[shown].id}`);
}

const STEPS = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1, n: 1,
  ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1, p: -1, Home: -Infinity, End: Infinity,
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "b" || key === ".") document.body.classList.toggle("dark");
  else if (key === "f") document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  else if (key in STEPS) show(shown + (event.shiftKey && key === " " ? -1 : STEPS[key]));
  else return;
  event.preventDefault();
});
addEventListener("click", (event) => {
  if (!getSelection().isCollapsed) return;
  show(shown + (event.clientX < innerWidth / 3 ? -1 : 1));
});
addEventListener("resize", fitScreen);
addEventListener("beforeprint", fitPaper);

document.body.classList.add("shown");
fitScreen();
show(shown);

// What the walk by keyboard asks of a notebook that is open; read by keyboard.py.
(() => {
  "use strict";
  const content = () => window.jupyterapp.shell.currentWidget.content;
  const TAKES_FOCUS = "a[href], button, input, select, textarea, summary, [tabindex], audio, video, iframe";
  let walked = 0;

  function area(node, cell) {
    if (node === document.body) return "nowhere";
    if (!cell) return "outside";
    if (node.closest(".jp-OutputArea-output")) return "output";
    if (node.closest(".cm-editor")) return "editor";
    return node === cell ? "cell" : "of the cell";
  }

  // What has the focus, and where it is.
  function where() {
    const node = document.activeElement, cell = node.closest(".jp-Cell"), box = node.getBoundingClientRect();
    return {
      key: (node.dataset.walked ??= String((walked += 1))),
      cell: content().widgets.findIndex((one) => one.node === cell),
      active: content().activeCellIndex,
      area: area(node, cell),
      tag: node.tagName.toLowerCase(),
      type: node.type ?? "",
      text: node.textContent.trim().slice(0, 40),
      in_sight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
  }

  // What changes when it is used.
  function state() {
    const node = document.activeElement;
    return [node.value, node.checked, node.closest("details")?.open, node.dataset.view].join();
  }

  const stops = (outputs) =>
    outputs.flatMap((one) => [...one.querySelectorAll(TAKES_FOCUS)])
      .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })).length;

  // JupyterLab shows the active cell by a bar beside it: its contrast with what is around it.
  function bar() {
    const all = [...content().activeCell.node.querySelectorAll(".jp-Collapser, .jp-Collapser-child")];
    return Math.max(0, ...all.filter((one) => one.checkVisibility()).map(courseBarriers.stands));
  }

  // Names of things in what cells gave that other things have too: labels and groups would go astray.
  function doubled(outputs) {
    const found = new Set();
    for (const one of outputs.flatMap((output) => [...output.querySelectorAll("[id]")])) {
      if (document.querySelectorAll(`[id="${CSS.escape(one.id)}"]`).length > 1) found.add(`the id ${one.id} stands twice`);
    }
    for (const one of outputs.flatMap((output) => [...output.querySelectorAll("input[type=radio]")])) {
      for (const other of document.getElementsByName(one.name)) {
        if (other.closest(".jp-OutputArea-output") !== one.closest(".jp-OutputArea-output")) found.add(`two cards share the group ${one.name}`);
      }
    }
    return [...found];
  }

  window.courseWalk = { where, state, stops, bar, doubled };
})();

// A number that is set: a native slider, if it has a `max`, and a field beside it, both with a name.
// JupyterLab and Notebook 7 take arrow keys and digits away from native inputs unless they never hear of them.
let made = 0;

export default {
  render({ model, el }) {
    const label = document.createElement("label"), name = model.get("label"), id = `field-${(made += 1)}-${Math.random().toString(36).slice(2)}`;
    const inputs = (model.get("slides") ? ["range", "number"] : ["number"]).map((type) => Object.assign(document.createElement("input"), { type, min: 0, step: model.get("step") }));
    label.textContent = name;
    label.htmlFor = inputs[0].id = id;
    if (inputs[1]) inputs[1].ariaLabel = `${name}, as a number`;
    el.classList.add("course-field");
    el.replaceChildren(label, ...inputs);
    let typed = null; // the field in which somebody types: it must not be written over
    const show = () => {
      for (const input of inputs) {
        input.max = model.get("most");
        if (input !== typed && (Number(input.value) !== model.get("value") || input.value === "")) input.value = model.get("value");
      }
    };
    const ask = ({ target }) => {
      const value = Number(target.value);
      if (target.value === "" || !(value >= 0)) return;
      model.set("value", value);
      model.save_changes();
      for (const other of inputs) if (other !== target) other.value = value;
    };
    const keys = (event) => {
      if (!inputs.includes(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!["Tab", "Escape", "Shift"].includes(event.key) && !(event.key === "Enter" && event.shiftKey)) event.stopImmediatePropagation();
    };
    // What was not taken does not stay in the field.
    const settle = ({ target }) => {
      typed = null;
      target.value = model.get("value");
    };
    for (const input of inputs) {
      // A slider counts while it moves; of a number, the first digit of "12" is no 1: Enter, an arrow or leaving says it.
      const slides = input.type === "range";
      input.addEventListener("input", slides ? ask : () => { typed = input; });
      if (!slides) input.addEventListener("change", ask);
      for (const end of ["change", "blur"]) input.addEventListener(end, settle);
    }
    window.addEventListener("keydown", keys, true);
    model.on("change", show);
    show();
    return () => {
      window.removeEventListener("keydown", keys, true);
      model.off("change", show);
    };
  },
};

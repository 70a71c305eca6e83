// The list of items by keyboard: j and k go from item to item, x selects, e closes, a assigns, m moves, / searches, ? helps.
// What the keys do are the buttons of the form above the list; without scripts they are pressed there.

const bulk = document.getElementById("bulk");
const keys = document.getElementById("keys");
const ticked = document.getElementById("ticked");
const titles = () => [...document.querySelectorAll("#items .row-title")];
const boxes = () => [...document.querySelectorAll("#items input[name=item]")];

/** The box of the item that the focus is on. */
function here() {
  return document.activeElement.closest("#items > li")?.querySelector("input[name=item]");
}

function go(step) {
  const all = titles();
  const at = all.findIndex((title) => title.closest("li").contains(document.activeElement));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** Has something selected: the item that the focus is on, if nothing is. */
function some() {
  if (boxes().some((box) => box.checked)) return true;
  const box = here();
  if (box) box.checked = true;
  count();
  return Boolean(box);
}

function count() {
  const number = boxes().filter((box) => box.checked).length;
  ticked.dataset.count = number || "";
}

const does = {
  j: () => go(1),
  k: () => go(-1),
  x: () => here() && ((here().checked = !here().checked), count()),
  e: () => some() && bulk.querySelector("button[value=close]")?.click(),
  a: () => some() && document.getElementById("bulk-to").focus(),
  m: () => some() && document.getElementById("bulk-into").focus(),
  "/": () => document.getElementById("q").focus(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  const writes = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || writes) {
    // A choice is made where it stands: Enter presses the button behind it, Escape leads back to the list.
    if (event.target.matches("#bulk select") && event.key === "Enter") {
      event.preventDefault();
      event.target.parentElement.querySelector("button").click();
    }
    if (event.key === "Escape" && writes && !keys.open) go(0);
    return;
  }
  if (!does[event.key]) return;
  event.preventDefault();
  does[event.key]();
});
document.addEventListener("change", (event) => event.target.matches("#items input[name=item]") && count());
const button = document.getElementById("keys-button");
button.hidden = false;
button.addEventListener("click", does["?"]);
count();

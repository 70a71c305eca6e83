// Keeps an open page up to date: the server says that something changed, the page fetches itself again and takes over
// what differs. Elements that stayed the same are not touched, so focus, scroll position, opened quotations and
// loaded frames stay as they are.

const said = document.getElementById("said");
const dot = document.getElementById("live");
let shown = Number(document.body.dataset.change);
let wanted = shown;
let busy = false;
let source = null;
let timer = 0;

/** Brings `old` to the state of `next`. Children are paired by their data-key or id, else by their place. */
function morph(old, next) {
  // What a script of the page itself fills is its own to keep.
  if (old.isEqualNode(next) || old.dataset?.keep) return;
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    // What a person has opened stays open.
    if (!next.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS")) old.removeAttribute(name);
  }
  const keyed = new Map();
  for (const child of old.children) if (keyOf(child)) keyed.set(keyOf(child), child);
  let at = old.firstChild;
  for (const wish of [...next.childNodes]) {
    const same = keyOf(wish) ? keyed.get(keyOf(wish)) : pairs(at, wish) ? at : null;
    if (!same) {
      const fresh = document.importNode(wish, true);
      if (keyOf(fresh)) fresh.classList.add("just-in");
      old.insertBefore(fresh, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    if (same.nodeType !== Node.ELEMENT_NODE) {
      if (same.data !== wish.data) same.data = wish.data;
    } else morph(same, wish);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || null : null;
}

function pairs(old, next) {
  return old && old.nodeType === next.nodeType && old.nodeName === next.nodeName && !keyOf(old);
}

/** Says what is new to people who cannot see it appear. */
function announce(before) {
  const fresh = [...document.querySelectorAll("main [data-say]")].filter((one) => !before.has(one.dataset.key));
  if (fresh.length === 1) said.textContent = fresh[0].dataset.say;
  else if (fresh.length > 1) said.textContent = document.body.dataset.several;
}

async function refresh() {
  if (busy) return;
  busy = true;
  try {
    for (let first = true; first || shown < wanted; first = false) {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      // Signed out meanwhile: the server says so on its own page.
      if (answer.redirected) return location.reload();
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      if (!main) return;
      shown = Math.max(Number(page.body.dataset.change), wanted);
      document.body.dataset.again = page.body.dataset.again;
      const before = new Set([...document.querySelectorAll("main [data-say]")].map((one) => one.dataset.key));
      morph(document.querySelector("main"), main);
      announce(before);
    }
  } catch {
    // The connection is gone; the event source comes back by itself and then asks again.
  } finally {
    busy = false;
    lookAgain();
  }
}

/// Some pages show what changes without being announced; they say after how many seconds they want to look again.
function lookAgain() {
  clearTimeout(timer);
  const seconds = Number(document.body.dataset.again);
  if (seconds > 0 && !document.hidden) timer = setTimeout(refresh, seconds * 1000);
}

function open() {
  if (source || document.hidden) return;
  source = new EventSource("/live");
  source.addEventListener("open", () => (dot.dataset.on = "yes"));
  source.addEventListener("change", (event) => {
    wanted = Math.max(wanted, Number(event.data));
    if (shown < wanted) refresh();
  });
  source.addEventListener("error", () => (dot.dataset.on = "no"));
  source.addEventListener("end", close);
  lookAgain();
}

function close() {
  source?.close();
  source = null;
  clearTimeout(timer);
  dot.dataset.on = "no";
}

// A hidden page gives its connection back: a browser allows only a few to one server.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", open);
if (dot) open();

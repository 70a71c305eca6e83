// The reading pane beside the list, where the window is wide enough: the item that the focus is on is shown in it. Without
// scripts, or in a narrow window, a click leads to the item as it always does.

const pane = document.getElementById("pane");
const wide = matchMedia("(min-width: 90rem)");
let shown = "";
let asking = null;

async function show(link) {
  if (!wide.matches || shown === link.href) return;
  shown = link.href;
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" }, signal: asking.signal });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const heading = document.createElement("h2");
    const whole = document.createElement("a");
    whole.href = link.href;
    whole.textContent = page.querySelector("h1").textContent;
    heading.append(whole);
    const talk = page.querySelector(".talk");
    // What is marked for the list must not be taken for one of its rows.
    for (const one of talk.querySelectorAll("[data-key]")) one.removeAttribute("data-key");
    for (const one of talk.querySelectorAll("[data-say]")) one.removeAttribute("data-say");
    pane.replaceChildren(heading, document.adoptNode(talk));
    pane.scrollTop = 0;
    for (const row of document.querySelectorAll("#items > .is-shown")) row.classList.remove("is-shown");
    link.closest("li").classList.add("is-shown");
  } catch {
    // Another item was asked for meanwhile, or the connection is gone: the link still leads there.
    shown = "";
  }
}

document.addEventListener("focusin", (event) => event.target.matches("#items .row-title") && show(event.target));
document.addEventListener("click", (event) => {
  const link = event.target.closest("#items .row-title");
  // A mouse shows; Enter, which counts no clicks, and a second click open.
  if (!link || !wide.matches || event.detail !== 1 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.focus();
  show(link);
});
document.addEventListener("dblclick", (event) => {
  const link = event.target.closest("#items .row-title");
  if (link && wide.matches) location.href = link.href;
});

// Shows what the rules about addresses would do while they are written: the server tries them, nothing is saved.

const form = document.getElementById("rules");
let timer = 0;
let asked = 0;

async function tryIt() {
  const number = ++asked;
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "test");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const verdicts = page.getElementById("verdicts");
    // An answer that comes late is about rules that stand there no more.
    if (verdicts && number === asked) document.getElementById("verdicts").replaceWith(verdicts);
  } catch {
    // Without a connection the button still says so.
  }
}

form.addEventListener("input", (event) => {
  if (!event.target.matches("textarea")) return;
  clearTimeout(timer);
  timer = setTimeout(tryIt, 300);
});

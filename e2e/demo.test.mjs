// The journeys of people through the demo, in a real browser and by keyboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, Desk, PHONE, tabTo, withoutBarriers } from "./desk.mjs";

let desk;
const visit = (...asked) => desk.visit(...asked);

before(async () => (desk = await Desk.open()));
after(() => desk?.close());

/** The address of the item with this title. */
async function itemWith(page, title) {
  return page.locator(".row-title", { hasText: title }).first().getAttribute("href");
}

test("without a session there is nothing but the way in", async () => {
  const context = await desk.browser.newContext();
  const page = await context.newPage();
  for (const path of ["/", "/items/1", "/receipts", "/mailboxes", "/nowhere"]) {
    await page.goto(desk.origin + path);
    assert.equal(page.url(), `${desk.origin}/signin`, path);
  }
  assert.match(await page.locator("main").innerText(), /postroom user signin-link/);
  const again = await page.goto(desk.demo.signIn);
  assert.equal(again.status(), 410, "the link works once");
  await context.close();
});

test("by keyboard from the list to an item and its attachment", async () => {
  await visit("/", async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    const target = await itemWith(page, "Invoice with a wrong total");
    await tabTo(page, `a[href="${target}"]`);
    await page.keyboard.press("Enter");
    await page.waitForURL(desk.origin + target);
    assert.match(await page.locator("h1").innerText(), /Invoice with a wrong total/);
    await tabTo(page, "a.file");
    const download = page.waitForEvent("download");
    await page.keyboard.press("Enter");
    assert.equal((await download).suggestedFilename(), "invoice-2026-1119.pdf");
  });
});

test("a conversation shows what people wrote, and the quotation on demand", async () => {
  await visit("/items/1", async (page) => {
    assert.equal(await page.locator(".message").count(), 3);
    const fold = page.locator("details.fold").first();
    const quotation = fold.locator(".mail-text");
    assert.equal(await quotation.isVisible(), false);
    await fold.locator("summary").focus();
    await page.keyboard.press("Enter");
    await quotation.waitFor();
    assert.match(await quotation.innerText(), /^>|wrote:/m);
    await page.locator("details.why summary").first().click();
    await page.getByText("is registered here.").first().waitFor();
    await page.getByRole("link", { name: "Original message" }).first().click();
    await page.getByRole("row", { name: /Message-ID/ }).waitFor();
  });
});

test("the search finds by words, and says when it finds nothing", async () => {
  await visit("/", async (page) => {
    await tabTo(page, "#q");
    await page.keyboard.type("printer deliv");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=printer/);
    await page.locator(".row-title", { hasText: "The printer on the third floor" }).waitFor();
    await page.locator("#q").fill("nothing-has-this-word");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Nothing found" }).waitFor();
  });
});

test("from the journal to the trace of held mail, and out of the hold", async () => {
  await visit("/", async (page) => {
    await tabTo(page, 'nav a[href="/receipts"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(/receipts/);
    await tabTo(page, 'a[href="/receipts?state=held"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(/state=held/);
    await page.locator(".row-title", { hasText: "Automatic reply" }).first().focus();
    await page.keyboard.press("Enter");
    await page.getByText("This mailbox holds such mail.").waitFor();
    await tabTo(page, "select#release-to");
    await page.keyboard.type("Ope");
    await tabTo(page, "button.main");
    await page.keyboard.press("Enter");
    // The page itself notices that the message was filed.
    await page.getByText(/It became item #\d+\./).waitFor();
    await page.getByRole("link", { name: /Open item/ }).click();
    await page.locator(".tag.key", { hasText: "OPS" }).waitFor();
  });
});

test("held mail that is decided again under the same rules is held again, and the page says so", async () => {
  await visit("/receipts?state=held", async (page) => {
    await page.locator(".row-title", { hasText: "Undelivered Mail" }).first().click();
    await page.getByRole("button", { name: /Decide again/ }).click();
    await page.getByText("So it is held.").waitFor();
    await page.getByRole("button", { name: "Release", exact: true }).waitFor();
  });
});

test("a message dropped into the mailbox appears in the open page by itself", async () => {
  await visit("/", async (page) => {
    await page.locator("#q").fill("half a word");
    await page.evaluate(() => window.scrollTo(0, 40));
    const name = `e2e-${process.pid}`;
    await desk.demo.drop(name, [
      "From: Dropped In <dropped@customer.example>",
      "Subject: Dropped while you looked",
      `Message-ID: <${name}@customer.example>`,
      "",
      "Here I am.",
    ]);
    await page.locator(".row-title", { hasText: "Dropped while you looked" }).waitFor();
    assert.match(await page.locator("#said").innerText(), /New item \d+: Dropped while you looked/);
    assert.equal(await page.evaluate(() => document.activeElement.id), "q", "the focus stays");
    assert.equal(await page.locator("#q").inputValue(), "half a word", "what was typed stays");
    assert.equal(await page.evaluate(() => window.scrollY), 40, "the place on the page stays");
  });
});

test("an answer appears in the open item, and what was unfolded stays unfolded", async () => {
  await visit("/items/1", async (page) => {
    await page.locator("details.why summary").first().click();
    await desk.demo.drop(`answer-${process.pid}`, [
      "From: Lee Marsh <lee@demo.example>",
      "Subject: Re: [#1] The printer on the third floor does not answer",
      `Message-ID: <answer-${process.pid}@demo.example>`,
      "",
      "It prints again, thank you.",
    ]);
    await page.getByText("It prints again, thank you.").waitFor();
    assert.equal(await page.locator("details.why").first().getAttribute("open"), "");
  });
});

test("hostile HTML runs nothing, loads nothing and leads nowhere", async () => {
  let path;
  await visit("/", async (page) => (path = await itemWith(page, "You have been selected")));
  await visit(path, async (page, context) => {
    const title = await page.title();
    await page.getByRole("radio", { name: "As designed" }).check();
    const frame = page.frameLocator(".as-html iframe");
    await frame.getByText("The end.").waitFor();
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
    for (const link of await frame.locator("a").all()) await link.click({ force: true });
    assert.equal(context.pages().length, 1, "no window opened");
    assert.equal(page.url(), desk.origin + path);
    assert.equal(await page.title(), title);
    assert.match(await frame.locator("body").innerText(), /The end\./, "the frame still shows the message");
  });
});

test("HTML shows the pictures of its own message", async () => {
  let path;
  await visit("/", async (page) => (path = await itemWith(page, "Quarterly figures")));
  await visit(path, async (page) => {
    const beside = page.locator(".pictures img").first();
    await beside.evaluate((image) => image.decode());
    assert.ok(await beside.evaluate((image) => image.naturalWidth > 1), "beside the text");
    await page.getByRole("radio", { name: "As designed" }).check();
    const inside = page.frameLocator(".as-html iframe").locator("img").first();
    await inside.waitFor();
    assert.match(await inside.getAttribute("src"), /^data:image\/png;base64,/);
    assert.ok((await inside.boundingBox()).width > 100, "inside the frame");
  });
});

test("everything can be read without scripts", async () => {
  await visit(
    "/",
    async (page) => {
      await page.locator(".row-title", { hasText: "Quarterly figures" }).click();
      await page.locator(".choices label", { hasText: "As designed" }).click();
      await page.frameLocator(".as-html iframe").getByText("Hello team,").waitFor();
    },
    { javaScriptEnabled: false },
  );
});

/** Every kind of page. */
const PAGES = [
  "/",
  "/?q=nothing-has-this-word",
  "/?workspace=OPS",
  "/items/1",
  "/items/3",
  "/items/13",
  "/items/1/original/1",
  "/receipts",
  "/receipts?state=held",
  "/receipts?state=deferred",
  "/receipts/1",
  "/receipts/9",
  "/mailboxes",
];

for (const path of PAGES) {
  test(`no barrier, and no wider than its window: ${path}`, async () => {
    await visit(path, async (page) => {
      for (const radio of await page.locator(".pick-html").all()) await radio.check();
      for (const viewport of [DESKTOP, PHONE]) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await withoutBarriers(page, `${path}, ${colorScheme}, ${viewport.width} wide`);
        }
      }
      for (const width of [360, 390, 768, 1440, 2560]) {
        await page.setViewportSize({ width, height: 800 });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${path} is ${over} px too wide at ${width}`);
      }
    });
  });
}

test("the pages outside have no barrier either", async () => {
  const context = await desk.browser.newContext();
  const page = await context.newPage();
  for (const path of ["/signin", "/signin/spent"]) {
    await page.goto(desk.origin + path);
    await withoutBarriers(page, path);
  }
  await context.close();
});


test("what is missing has a page, not a blank", async () => {
  const context = await desk.browser.newContext({ storageState: desk.session });
  const page = await context.newPage();
  for (const path of ["/items/99999", "/receipts/99999", "/nowhere"]) {
    const answer = await page.goto(desk.origin + path);
    assert.equal(answer.status(), 404, path);
    await page.getByRole("heading", { name: "Nothing here" }).waitFor();
    await withoutBarriers(page, path);
  }
  await context.close();
});

test("signing out ends it", async () => {
  const context = await desk.browser.newContext({ storageState: desk.session });
  const page = await context.newPage();
  await page.goto(desk.origin);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/signin/);
  await page.goto(desk.origin);
  assert.equal(page.url(), `${desk.origin}/signin`);
  await context.close();
});

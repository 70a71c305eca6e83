// Working on items and held mail: by keyboard alone, with undo, and without scripts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, Desk, PHONE, tabTo, withoutBarriers } from "./desk.mjs";

let desk;
before(async () => (desk = await Desk.open()));
after(() => desk?.close());

const title = (page, text) => page.locator(".row-title", { hasText: text });

test("triage by keyboard: go, select, assign, close, take back", async () => {
  await desk.visit("/", async (page) => {
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await withoutBarriers(page, "/ with its keys");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    const first = page.locator(".row-title").first();
    assert.ok(await first.evaluate((one) => one === document.activeElement), "k leads back to the first");
    await page.keyboard.press("x");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    assert.equal(await page.locator("#items :checked").count(), 2);
    await page.keyboard.press("a");
    assert.equal(await page.evaluate(() => document.activeElement.id), "bulk-to");
    await page.keyboard.type("Kim");
    await page.keyboard.press("Enter");
    await page.getByText("2 items were changed.").waitFor();
    await page.getByText("→ kim@demo.example").first().waitFor();
    await page.keyboard.press("j");
    const name = await first.innerText();
    await page.keyboard.press("e");
    await page.getByText("1 item was changed.").waitFor();
    assert.equal(await title(page, name).count(), 0, "what is closed is off the list");
    await withoutBarriers(page, "/ after a change");
    await page.getByRole("button", { name: "Undo" }).press("Enter");
    await title(page, name).waitFor();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "q");
    await page.keyboard.type("jjx");
    assert.equal(await page.locator("#q").inputValue(), "jjx", "where one writes, keys are letters");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.waitForURL(/items/);
  });
});

test("an item is moved, tagged, commented and noted on, and its history takes it back", async () => {
  await desk.visit("/items/1", async (page) => {
    await page.locator("select#workspace").selectOption("OPS");
    await page.getByRole("button", { name: "Move" }).press("Enter");
    await page.getByText("moved it from SUP to OPS.").waitFor();
    await page.locator("#tag").fill("two words");
    await page.keyboard.press("Enter");
    const problem = page.locator("#tag-problem");
    await problem.waitFor();
    assert.equal(await page.locator("#tag").inputValue(), "two words", "what was typed stays");
    assert.equal(await page.evaluate(() => document.activeElement.id), "tag");
    await withoutBarriers(page, "an item with a problem");
    await page.locator("#tag").fill("urgent");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove the tag urgent" }).press("Enter");
    await page.getByText("took off the tags urgent.").waitFor();
    await page.getByRole("button", { name: "Undo", exact: true }).first().press("Enter");
    await page.getByRole("button", { name: "Remove the tag urgent" }).waitFor();

    await page.locator("#text").fill("We are on it.");
    await page.getByRole("button", { name: "Comment", exact: true }).press("Enter");
    await page.locator(".message", { hasText: "We are on it." }).waitFor();
    await page.locator("#text").fill("They pay late.");
    await page.getByRole("button", { name: "Leave an internal note" }).press("Enter");
    await page.locator(".message.is-internal", { hasText: "They pay late." }).waitFor();
    await withoutBarriers(page, "an item with a note");

    await page.reload();
    await page.locator("summary", { hasText: "History" }).press("Enter");
    await page.getByRole("button", { name: /take back: moved it/ }).press("Enter");
    await page.locator(".tag.key", { hasText: "SUP" }).first().waitFor();
  });
});

test("in a wide window the item that the focus is on is read beside the list", async () => {
  await desk.visit("/", async (page) => {
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const name = await page.locator(".row-title").nth(1).innerText();
    const pane = page.getByRole("complementary", { name: "Reading pane" });
    await pane.getByRole("heading", { name }).waitFor();
    await title(page, "The printer on the third floor").click();
    await pane.getByText("Three of us").waitFor();
    assert.equal(page.url(), `${desk.origin}/`, "a click shows it here");
    await withoutBarriers(page, "/ with something in the pane");
    await desk.demo.drop(`pane-${process.pid}`, ["From: a@customer.example", "Subject: Beside the pane", "", "x"]);
    await title(page, "Beside the pane").waitFor();
    assert.equal(await pane.getByText("Three of us").count(), 1, "what is read stays when something arrives");
    await page.keyboard.press("Enter");
    await page.waitForURL(/items/);
  });
});

test("what is being written stays when something else happens to the item", async () => {
  await desk.visit("/items/1", async (page) => {
    await page.locator("#text").fill("half a sentence");
    await desk.demo.drop(`work-${process.pid}`, [
      "From: Lee Marsh <lee@demo.example>",
      "Subject: Re: [#1] The printer",
      `Message-ID: <work-${process.pid}@demo.example>`,
      "",
      "Meanwhile it burns.",
    ]);
    await page.getByText("Meanwhile it burns.").waitFor();
    assert.equal(await page.locator("#text").inputValue(), "half a sentence");
    assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  });
});

test("held mail is read, released and deleted by keyboard", async () => {
  await desk.visit("/", async (page) => {
    await tabTo(page, 'nav a[href="/held"]');
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Held mail" }).waitFor();
    await page.getByRole("link", { name: /Automatic mail/ }).press("Enter");
    await page.waitForURL(/AUTOMATIC_MAIL/);
    await page.locator("#held input").first().focus();
    await page.keyboard.press("Space");
    const subject = await page.locator(".row-title").first().innerText();
    await page.getByRole("button", { name: "Release", exact: true }).press("Enter");
    await page.getByText("Done with 1 message.").waitFor();
    await page.goto(`${desk.origin}/?q=${encodeURIComponent(subject)}&status=all`);
    await title(page, subject).first().waitFor();

    await page.goto(`${desk.origin}/held`);
    await page.locator(".row-title").first().press("Enter");
    await page.getByRole("heading", { name: "What it says" }).waitFor();
    await withoutBarriers(page, "a held message");
    await page.reload();
    // What cannot be taken back is asked twice.
    await page.locator(".sure summary").press("Enter");
    await page.getByRole("button", { name: "Yes, delete it for good" }).press("Enter");
    await page.getByText("So nothing is left of it but this page.").waitFor();
  });
});

test("all of that works without scripts", async () => {
  await desk.visit(
    "/",
    async (page) => {
      await page.locator("#items input").first().check();
      await page.getByRole("button", { name: "Close", exact: true }).click();
      await page.getByText("1 item was changed.").waitFor();
      await page.getByRole("button", { name: "Undo" }).click();
      await page.goto(`${desk.origin}/items/2`);
      await page.locator("#text").fill("Without scripts.");
      await page.getByRole("button", { name: "Comment", exact: true }).click();
      await page.locator(".message", { hasText: "Without scripts." }).waitFor();
    },
    { javaScriptEnabled: false },
  );
});

for (const [path, locale] of [["/held", "de-DE"], ["/items/2", "de-DE"], ["/", "de-DE"]]) {
  test(`no barrier, and no wider than its window, in German: ${path}`, async () => {
    await desk.visit(
      path,
      async (page) => {
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
          assert.ok(over <= 0, `${over} px too wide at ${width}`);
        }
      },
      { locale },
    );
  });
}

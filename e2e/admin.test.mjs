// Settings, people and mailboxes: what an admin decides, by keyboard, with the tester that shows it beforehand.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, Desk, PHONE, withoutBarriers } from "./desk.mjs";

let desk;
before(async () => (desk = await Desk.open()));
after(() => desk?.close());

test("the tester shows what patterns do while they are written, and saves nothing", async () => {
  await desk.visit("/settings", async (page) => {
    await page.locator("#samples").fill("pat@BOSCH.com\nx@bosch.com.evil.org");
    await page.locator("#patterns").focus();
    await page.keyboard.type("[^@\\T]@bosch\\.com");
    await page.locator("#verdicts .tag.good", { hasText: "admitted" }).waitFor();
    await page.locator("#verdicts li", { hasText: "evil.org" }).locator(".tag.bad").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "patterns", "the focus stays");
    await withoutBarriers(page, "/settings while it is tried");
    await page.reload();
    assert.equal(await page.locator("#patterns").inputValue(), "", "nothing was saved");
  });
});

test("a pattern that cannot be used is said beside it, and all else stays", async () => {
  await desk.visit("/settings", async (page) => {
    await page.locator("#patterns").fill("(");
    await page.locator("#blocked").fill("evil.org");
    await page.getByRole("button", { name: "Save" }).first().press("Enter");
    await page.locator("#patterns-problem").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "patterns");
    assert.equal(await page.locator("#blocked").inputValue(), "evil.org");
    await withoutBarriers(page, "/settings with a problem");
    await page.locator("#patterns").fill("");
    await page.getByRole("button", { name: "Save" }).first().press("Enter");
    await page.waitForURL(/settings/);
    await page.reload();
    assert.equal(await page.locator("#blocked").inputValue(), "evil.org");
  });
});

test("somebody is invited, joins with a password, and is at the desk", async () => {
  let link;
  await desk.visit("/people", async (page) => {
    await page.getByLabel("Mail address").fill("new@demo.example");
    await page.locator("form .field select#workspace").selectOption("SUP");
    await page.locator("form .field select#role").selectOption("agent");
    await page.getByRole("button", { name: "Invite" }).press("Enter");
    link = await page.locator("pre.shell").innerText();
    await withoutBarriers(page, "/people with an invitation");
  });
  const context = await desk.browser.newContext({ viewport: PHONE });
  const page = await context.newPage();
  await page.goto(link);
  await withoutBarriers(page, "/join");
  await page.locator("#password").fill("a sentence to remember");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${desk.origin}/`);
  await page.locator(".row-title").first().waitFor();
  assert.equal(await page.getByText("You came in by a link.").count(), 0, "they have a password");
  await context.close();
});

test("a mailbox is paused, goes on and is visited from its page", async () => {
  await desk.visit("/mailboxes", async (page) => {
    await page.getByRole("link", { name: "desk", exact: true }).press("Enter");
    await page.getByRole("button", { name: "Pause desk" }).press("Enter");
    await page.locator(".tag", { hasText: "paused" }).waitFor();
    await withoutBarriers(page, "a paused mailbox");
    await page.getByRole("button", { name: "Resume desk" }).press("Enter");
    await page.getByRole("button", { name: "Visit now desk" }).press("Enter");
    await page.locator(".tag", { hasText: "well" }).waitFor();
  });
});

for (const path of ["/settings", "/people", "/mailboxes/desk"]) {
  for (const locale of ["en-GB", "de-DE"]) {
    test(`no barrier, and no wider than its window: ${path}, ${locale}`, async () => {
      await desk.visit(
        path,
        async (page) => {
          for (const viewport of [DESKTOP, PHONE]) {
            await page.setViewportSize(viewport);
            for (const colorScheme of ["light", "dark"]) {
              await page.emulateMedia({ colorScheme });
              await withoutBarriers(page, `${path}, ${locale}, ${colorScheme}, ${viewport.width} wide`);
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
}

// Getting in and out: the password, the language, signing out everywhere; by keyboard, with and without scripts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, Desk, PHONE, tabTo, withoutBarriers } from "./desk.mjs";

const PASSWORD = "a sentence to remember";

let desk;
before(async () => (desk = await Desk.open()));
after(() => desk?.close());

test("whoever came by a link sets a password, by keyboard, and comes back with it", async () => {
  const context = await desk.browser.newContext({ storageState: desk.session, viewport: DESKTOP, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${desk.origin}/`);
  await page.getByRole("link", { name: "Set a password" }).press("Enter");
  await page.waitForURL(/account/);
  await page.locator("#password").focus();
  await page.keyboard.type("too short");
  await page.keyboard.press("Enter");
  await page.getByText("A password has at least 10 characters.").waitFor();
  const field = page.locator("#password");
  assert.equal(await field.getAttribute("aria-describedby"), "password-problem password-hint");
  assert.equal(await field.getAttribute("autofocus"), "");
  await field.fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Change the password" }).waitFor();
  const address = await page.locator(".who-name").getAttribute("title");

  const other = await desk.browser.newContext({ viewport: PHONE });
  const again = await other.newPage();
  await again.goto(`${desk.origin}/signin`);
  assert.equal(await again.evaluate(() => document.activeElement.id), "address", "one can type at once");
  await again.keyboard.type(address);
  await tabTo(again, "#password");
  await again.keyboard.type("something else");
  await again.keyboard.press("Enter");
  await again.getByText("do not belong together").waitFor();
  assert.equal(await again.locator("#address").inputValue(), address, "what was typed stays");
  assert.equal(await again.evaluate(() => document.activeElement.id), "address");
  await withoutBarriers(again, "/signin with a problem");
  await again.locator("#password").fill(PASSWORD);
  await again.keyboard.press("Enter");
  await again.waitForURL(`${desk.origin}/`);

  // Everywhere is everywhere.
  await page.goto(`${desk.origin}/account`);
  await page.getByRole("button", { name: "Sign out everywhere" }).press("Enter");
  await page.waitForURL(/signin/);
  await again.goto(`${desk.origin}/`);
  assert.equal(again.url(), `${desk.origin}/signin`);

  await again.locator("#address").fill(address);
  await again.locator("#password").fill(PASSWORD);
  await again.keyboard.press("Enter");
  await again.waitForURL(`${desk.origin}/`);
  desk.session = await other.storageState();
  await context.close();
  await other.close();
});

test("a person's own language counts more than the browser's", async () => {
  await desk.visit(
    "/account",
    async (page) => {
      assert.equal(await page.locator("html").getAttribute("lang"), "de");
      await page.locator("select#language").selectOption("en");
      await page.locator("form[action='/account/language'] button").press("Enter");
      await page.getByRole("heading", { name: "Your account" }).waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
      await page.locator("#language").selectOption("");
      await page.locator("form[action='/account/language'] button").press("Enter");
      await page.getByRole("heading", { name: "Ihr Konto" }).waitFor();
    },
    { locale: "de-DE" },
  );
});

test("a token is made, shown once and removed", async () => {
  await desk.visit("/account", async (page) => {
    await page.getByLabel("What it is for").fill("nightly report");
    await page.getByRole("button", { name: "Make a token" }).press("Enter");
    const secret = await page.locator("pre.shell").innerText();
    assert.match(secret, /^postroom_/);
    await withoutBarriers(page, "/account with a token");
    await page.goto(`${desk.origin}/account`);
    assert.equal(await page.getByText(secret).count(), 0);
    await page.getByRole("button", { name: "Remove nightly report" }).press("Enter");
    await page.waitForURL(/account/);
    await page.getByRole("button", { name: "Remove nightly report" }).waitFor({ state: "detached" });
  });
});

for (const locale of ["en-GB", "de-DE"]) {
  test(`no barrier on the account page, and no wider than its window: ${locale}`, async () => {
    await desk.visit(
      "/account",
      async (page) => {
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await withoutBarriers(page, `${locale}, ${colorScheme}`);
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

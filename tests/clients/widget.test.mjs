// @okta/okta-signin-widget in Chromium, both of its builds.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { launch, openPage } from './browser.mjs';
import { PASSWORD, REFUSED_DOMAIN, createUser, issuer, mailedCode, newLogin, profileOf, setUp } from './org.mjs';
import { startSite } from './site.mjs';

let site, browser, clients;

before(async () => {
  site = await startSite();
  clients = await setUp(`${site.origin}/login/callback`);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

// A page with the widget; `tokens` on it is what the widget gets at the end.
async function openWidget(build, clientId) {
  const page = await openPage(browser, `${site.origin}/${build}`);
  const config = {
    issuer,
    clientId,
    redirectUri: `${site.origin}/login/callback`,
    scopes: ['openid', 'profile', 'email'],
    // The default of the one build, which the other one has to be told.
    authScheme: 'OAUTH2',
    language: 'en',
    assets: { baseUrl: '/npm/okta-signin-widget/dist' },
    el: '#widget',
  };
  await page.evaluate((config) => {
    const widget = new OktaSignIn(config);
    widget.on('afterRender', ({ formName }) => (window.drawn = formName));
    widget.showSignInToGetTokens().then(
      (tokens) => (window.ended = { claims: tokens.idToken.claims }),
      (error) => (window.ended = { error: String(error) }),
    );
  }, config);
  return page;
}

const field = (page, name) => page.locator(`input[name="${name}"]`);
// Waits until the widget says that it has drawn this form: what is typed before that can be lost.
const drawn = (page, form) => page.waitForFunction((form) => window.drawn === form, form);

// The gen2 build reads a field 200 ms after it was typed in, and drops a form that is sent within 200 ms of another. Counted by
// the page's own clock, behind whatever else waits there.
const settled = (page) => page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));

// Fills in a form and sends it from the keyboard: a click can miss a button that moves when an error goes. A moment after it
// drew a form, the widget moves to its first field, and what is being typed elsewhere goes there: so fields are looked at again.
async function fill(page, form, values) {
  await drawn(page, form);
  let left = Object.keys(values);
  for (let tries = 0; left.length > 0; tries += 1) {
    assert.ok(tries < 10, `can't be typed in: ${left.join(', ')}`);
    for (const name of left) await field(page, name).fill(values[name]);
    await settled(page);
    const typed = await Promise.all(Object.keys(values).map((name) => field(page, name).inputValue()));
    left = Object.keys(values).filter((name, index) => typed[index] !== values[name]);
  }
  const sent = page.waitForRequest((request) => request.url().includes('/idp/idx/'));
  await field(page, Object.keys(values).at(-1)).press('Enter');
  await sent;
}

// The ID token's claims, once the widget has verified and handed over the tokens.
async function claims(page) {
  const ended = await page.waitForFunction(() => window.ended);
  const { claims, error } = await ended.jsonValue();
  assert.equal(error, undefined);
  return claims;
}

// Runs a story on a page of its own; what the page shows is told if it fails.
async function story(build, clientId, tell) {
  const page = await openWidget(build, clientId);
  try {
    await tell(page);
  } catch (error) {
    const shown = await page.locator('body').innerText();
    throw new Error(`${error.message}\nThe page shows:\n${shown}\nIt complains:\n${page.complaints.join('\n')}`, { cause: error });
  } finally {
    await page.context().close();
  }
}

for (const build of ['gen2', 'gen3']) {
  describe(`the ${build} widget`, () => {
    test('signs somebody up after showing at the field why the hook refused', { timeout: 120_000 }, () =>
      story(build, clients.portal, async (page) => {
        const [refused, login] = [newLogin('example.com'), newLogin()];
        await drawn(page, 'identify');
        await page.getByRole('link', { name: 'Sign up' }).click();
        const names = { 'userProfile.firstName': 'Rosario', 'userProfile.lastName': 'Jones' };
        await fill(page, 'enroll-profile', { 'userProfile.email': refused, ...names });
        await page.getByText(REFUSED_DOMAIN).first().waitFor();
        assert.equal(await profileOf(refused), undefined);
        await fill(page, 'enroll-profile', { 'userProfile.email': login });
        await fill(page, 'enroll-authenticator', { 'credentials.passcode': PASSWORD, confirmPassword: PASSWORD });
        assert.equal((await claims(page)).email, login);
        assert.equal((await profileOf(login)).lastName, 'Jones');
      }));

    test('signs in after a wrong password', { timeout: 120_000 }, () =>
      story(build, clients.portal, async (page) => {
        const login = await createUser();
        await fill(page, 'identify', { identifier: login, 'credentials.passcode': 'Wrong-horse-7' });
        await page.getByText('Unable to sign in').first().waitFor();
        // A second has to pass after a wrong password.
        await page.waitForTimeout(1_100);
        await fill(page, 'identify', { identifier: login, 'credentials.passcode': PASSWORD });
        assert.equal((await claims(page)).preferred_username, login);
      }));

    test('asks for what a profile lacks, and shows what the hook says of it', { timeout: 120_000 }, () =>
      story(build, clients.staff, async (page) => {
        const login = await createUser();
        assert.equal(await page.getByRole('link', { name: 'Sign up' }).count(), 0);
        await fill(page, 'identify', { identifier: login, 'credentials.passcode': PASSWORD });
        await fill(page, 'enroll-profile', { 'userProfile.employeeNumber': '12345' });
        await page.getByText('employee number', { exact: false }).first().waitFor();
        await fill(page, 'enroll-profile', { 'userProfile.employeeNumber': '1234' });
        assert.equal((await claims(page)).email, login);
        assert.equal((await profileOf(login)).employeeNumber, '1234');
      }));

    test('lets somebody who forgot the password choose a new one', { timeout: 120_000 }, () =>
      story(build, clients.portal, async (page) => {
        const login = await createUser();
        await drawn(page, 'identify');
        await page.getByRole('link', { name: 'Forgot password?' }).click();
        await fill(page, 'identify-recovery', { identifier: login });
        await drawn(page, 'select-authenticator-authenticate');
        // A button beside the choice in the one build; the choice itself in the other.
        const button = page.locator('[data-se="okta_email"]').locator('a, button');
        await button.or(page.getByText('Email', { exact: true })).last().click();
        await drawn(page, 'challenge-authenticator');
        const byCode = page.getByText('Enter a code from the email instead').or(page.getByText('Enter a verification code instead'));
        if (await byCode.count()) await byCode.first().click();
        await fill(page, 'challenge-authenticator', { 'credentials.passcode': await mailedCode(login) });
        const password = 'Another-horse-8';
        await fill(page, 'reset-authenticator', { 'credentials.passcode': password, confirmPassword: password });
        assert.equal((await claims(page)).email, login);
      }));
  });
}

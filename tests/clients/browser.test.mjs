// @okta/okta-auth-js in Chromium: by itself over IDX, and by the hosted sign-in page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage } from './browser.mjs';
import { PASSWORD, REFUSED_DOMAIN, createUser, issuer, newLogin, profileOf, setUp } from './org.mjs';
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

// A page of the client's, with `auth` in it.
async function openClient(clientId, path = '/auth-js') {
  const page = await openPage(browser, site.origin + path);
  const config = { issuer, clientId, redirectUri: `${site.origin}/login/callback`, scopes: ['openid', 'profile', 'email'] };
  await page.evaluate((config) => {
    window.auth = new OktaAuth(config);
  }, config);
  return page;
}

test('a page signs somebody up, is told why it was denied, and signs them in', { timeout: 120_000 }, async () => {
  const page = await openClient(clients.portal);
  const [refused, login] = [newLogin('example.com'), newLogin()];
  const outcome = await page.evaluate(
    async ({ refused, login, password }) => {
      const enableLegacyMode = true;
      const names = { firstName: 'Rosario', lastName: 'Jones' };
      const denied = await auth.idx.register({ enableLegacyMode, email: refused, ...names });
      const asked = await auth.idx.proceed({ enableLegacyMode, email: login, ...names });
      const done = await auth.idx.proceed({ enableLegacyMode, password });
      return {
        denied: denied.messages?.map((message) => message.message),
        asked: asked.nextStep?.name,
        status: done.status,
        claims: done.tokens?.idToken?.claims,
      };
    },
    { refused, login, password: PASSWORD },
  );
  assert.ok(outcome.denied.includes(REFUSED_DOMAIN), JSON.stringify(outcome));
  assert.equal(outcome.asked, 'enroll-authenticator');
  assert.equal(outcome.status, 'SUCCESS');
  assert.equal(outcome.claims.email, login);
  assert.equal(await profileOf(refused), undefined);
  await page.context().close();
});

test('a page completes a profile at the sign-in', { timeout: 120_000 }, async () => {
  const page = await openClient(clients.staff);
  const login = await createUser();
  const outcome = await page.evaluate(
    async ({ login, password }) => {
      await auth.idx.start();
      const asked = await auth.idx.proceed({ step: 'identify', username: login, password });
      const denied = await auth.idx.proceed({ step: 'enroll-profile', userProfile: { employeeNumber: 'abc' } });
      const done = await auth.idx.proceed({ step: 'enroll-profile', userProfile: { employeeNumber: '1234' } });
      return { asked: asked.nextStep?.name, denied: denied.requestDidSucceed, status: done.status };
    },
    { login, password: PASSWORD },
  );
  assert.deepEqual(outcome, { asked: 'enroll-profile', denied: false, status: 'SUCCESS' });
  assert.equal((await profileOf(login)).employeeNumber, '1234');
  await page.context().close();
});

test('signInWithRedirect leads over the hosted page and back with tokens', { timeout: 120_000 }, async () => {
  const page = await openClient(clients.portal);
  const login = await createUser();
  await page.evaluate(() => void auth.signInWithRedirect({ state: 'a state' }));
  await page.getByLabel('Username').fill(login);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${site.origin}/login/callback?**`);
  const config = { issuer, clientId: clients.portal, redirectUri: `${site.origin}/login/callback` };
  const parsed = await page.evaluate(async (config) => {
    const { tokens, state } = await new OktaAuth(config).token.parseFromUrl();
    return { state, email: tokens.idToken.claims.email, scopes: tokens.accessToken.scopes };
  }, config);
  assert.equal(parsed.state, 'a state');
  assert.equal(parsed.email, login);
  assert.ok(parsed.scopes.includes('profile'));
  await page.context().close();
});

test('a page of an origin that nobody trusts gets nothing', { timeout: 120_000 }, async () => {
  const stranger = await startSite();
  const page = await openPage(browser, `${stranger.origin}/auth-js`);
  const outcome = await page.evaluate(
    (url) => fetch(url).then(() => 'an answer', () => 'nothing'),
    `${issuer}/.well-known/openid-configuration`,
  );
  assert.equal(outcome, 'nothing');
  await page.context().close();
  stranger.close();
});

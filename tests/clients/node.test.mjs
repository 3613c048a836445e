// @okta/okta-auth-js in Node: no page, no cookies, the transaction in memory.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { OktaAuth } from '@okta/okta-auth-js';

import { PASSWORD, REFUSED_DOMAIN, createUser, issuer, mailedCode, newLogin, profileOf, setUp } from './org.mjs';

const redirectUri = 'http://localhost:3000/login/callback';
let clients;

before(async () => {
  clients = await setUp(redirectUri);
});

// A client with a memory of its own.
function client(clientId) {
  const memory = new Map();
  const storageProvider = {
    getItem: (key) => memory.get(key) ?? null,
    setItem: (key, value) => memory.set(key, value),
    removeItem: (key) => memory.delete(key),
  };
  const places = ['token', 'cache', 'transaction', 'shared-transaction', 'original-uri', 'idx-response'];
  const storageManager = Object.fromEntries(places.map((place) => [place, { storageProvider, storageKey: place }]));
  const scopes = ['openid', 'profile', 'email', 'offline_access'];
  return new OktaAuth({ issuer, clientId, redirectUri, scopes, storageManager });
}

// Since 8.0 auth-js chooses the steps by itself only if it is told so.
const enableLegacyMode = true;

function texts(transaction) {
  return (transaction.messages ?? []).map((message) => message.message);
}

test('idx.register signs somebody up, and idx.proceed sets the password', { timeout: 120_000 }, async () => {
  const login = newLogin();
  const auth = client(clients.portal);
  let transaction = await auth.idx.register({ enableLegacyMode, email: login, firstName: 'Rosario', lastName: 'Jones' });
  assert.equal(transaction.status, 'PENDING');
  assert.equal(transaction.nextStep.name, 'enroll-authenticator');
  transaction = await auth.idx.proceed({ enableLegacyMode, password: PASSWORD });
  assert.equal(transaction.status, 'SUCCESS', JSON.stringify(transaction));
  // auth-js has verified issuer, audience, time, signature and at_hash by now.
  const { idToken, accessToken, refreshToken } = transaction.tokens;
  assert.equal(idToken.claims.email, login);
  assert.equal(idToken.claims.preferred_username, login);
  assert.equal((await profileOf(login)).firstName, 'Rosario');
  const userinfo = await auth.token.getUserInfo(accessToken, idToken);
  assert.equal(userinfo.given_name, 'Rosario');
  auth.tokenManager.setTokens(transaction.tokens);
  const renewed = await auth.token.renewTokens();
  assert.notEqual(renewed.refreshToken.refreshToken, refreshToken.refreshToken);
  assert.equal(renewed.idToken.claims.sub, idToken.claims.sub);
  await auth.revokeAccessToken(renewed.accessToken);
  await assert.rejects(auth.token.getUserInfo(renewed.accessToken, renewed.idToken));
  auth.tokenManager.clear();
});

test('idx.register is told why the hook denied it, and can be corrected', { timeout: 120_000 }, async () => {
  const refused = newLogin('example.com');
  const auth = client(clients.portal);
  const denied = await auth.idx.register({ enableLegacyMode, email: refused, firstName: 'Rosario', lastName: 'Jones' });
  assert.equal(denied.status, 'PENDING');
  assert.equal(denied.requestDidSucceed, false);
  assert.equal(denied.nextStep.name, 'enroll-profile');
  assert.ok(texts(denied).includes(REFUSED_DOMAIN), texts(denied).join(' | '));
  assert.equal(await profileOf(refused), undefined);
  const login = newLogin();
  const corrected = await auth.idx.proceed({ enableLegacyMode, email: login, firstName: 'Rosario', lastName: 'Jones' });
  assert.equal(corrected.nextStep.name, 'enroll-authenticator', JSON.stringify(corrected));
  assert.equal(await profileOf(login), undefined, 'nobody is made before the sign-up is finished');
  const finished = await auth.idx.proceed({ enableLegacyMode, password: PASSWORD });
  assert.equal(finished.status, 'SUCCESS', JSON.stringify(finished));
  assert.ok(await profileOf(login));
});

test('idx.authenticate signs in, and says no more than that it could not', { timeout: 120_000 }, async () => {
  const authenticate = (username, password) => client(clients.portal).idx.authenticate({ enableLegacyMode, username, password });
  const wrong = await authenticate(await createUser(), 'Wrong-horse-7');
  const nobody = await authenticate(newLogin(), 'Wrong-horse-7');
  assert.equal(wrong.status, 'PENDING');
  assert.equal(wrong.nextStep.name, 'identify');
  assert.deepEqual(texts(wrong), ['Unable to sign in']);
  assert.deepEqual(texts(nobody), texts(wrong));
  const login = await createUser();
  const right = await authenticate(login, PASSWORD);
  assert.equal(right.status, 'SUCCESS', JSON.stringify(right));
  assert.equal(right.tokens.idToken.claims.email, login);
});

test('idx.proceed completes a profile after the sign-in, once the hook agrees', { timeout: 120_000 }, async () => {
  const login = await createUser();
  const auth = client(clients.staff);
  await auth.idx.start();
  const asked = await auth.idx.proceed({ step: 'identify', username: login, password: PASSWORD });
  assert.equal(asked.status, 'PENDING');
  assert.equal(asked.nextStep.name, 'enroll-profile');
  assert.ok(JSON.stringify(asked.nextStep.inputs).includes('employeeNumber'));
  const denied = await auth.idx.proceed({ step: 'enroll-profile', userProfile: { employeeNumber: '12345' } });
  assert.equal(denied.requestDidSucceed, false);
  assert.ok(texts(denied).length > 0);
  assert.equal((await profileOf(login)).employeeNumber ?? null, null);
  const done = await auth.idx.proceed({ step: 'enroll-profile', userProfile: { employeeNumber: '1234' } });
  assert.equal(done.status, 'SUCCESS', JSON.stringify(done));
  assert.equal(done.tokens.idToken.claims.email, login);
  assert.equal((await profileOf(login)).employeeNumber, '1234');
  const again = await client(clients.staff).idx.authenticate({ enableLegacyMode, username: login, password: PASSWORD });
  assert.equal(again.status, 'SUCCESS');
});

test('where sign-up is denied auth-js says so', { timeout: 120_000 }, async () => {
  const register = client(clients.staff).idx.register({ enableLegacyMode, email: newLogin(), firstName: 'A', lastName: 'B' });
  await assert.rejects(register, /Registration is not supported/);
});

test('idx.cancel ends what was begun', { timeout: 120_000 }, async () => {
  const auth = client(clients.staff);
  await auth.idx.start();
  const asked = await auth.idx.proceed({ step: 'identify', username: await createUser(), password: PASSWORD });
  assert.equal(asked.nextStep.name, 'enroll-profile');
  const cancelled = await auth.idx.cancel();
  assert.equal(cancelled.status, 'CANCELED', JSON.stringify(cancelled));
});

test('idx.recoverPassword lets somebody choose a new password by a mailed code', { timeout: 120_000 }, async () => {
  const login = await createUser();
  const auth = client(clients.portal);
  let transaction = await auth.idx.recoverPassword({ enableLegacyMode, username: login, authenticators: ['okta_email'] });
  assert.equal(transaction.status, 'PENDING', JSON.stringify(transaction));
  assert.equal(transaction.nextStep.name, 'challenge-authenticator', JSON.stringify(transaction.nextStep));
  transaction = await auth.idx.proceed({ enableLegacyMode, verificationCode: await mailedCode(login) });
  assert.equal(transaction.nextStep?.name, 'reset-authenticator', JSON.stringify(transaction));
  transaction = await auth.idx.proceed({ enableLegacyMode, password: 'Another-horse-8' });
  assert.equal(transaction.status, 'SUCCESS', JSON.stringify(transaction));
  assert.equal(transaction.tokens.idToken.claims.email, login);
  const signIn = (password) => client(clients.portal).idx.authenticate({ enableLegacyMode, username: login, password });
  assert.equal((await signIn('Another-horse-8')).status, 'SUCCESS');
  assert.notEqual((await signIn(PASSWORD)).status, 'SUCCESS');
});

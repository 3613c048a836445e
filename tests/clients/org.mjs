// An org that the tests set up through its management API: two apps, one where people sign up and one that asks for an
// employee number, with the guide's hooks behind them.

const base = process.env.HOOKWRIGHT_URL;
const token = process.env.HOOKWRIGHT_API_TOKEN;
const responder = process.env.RESPONDER_URL;

export const PASSWORD = 'Correct-horse-7';

// What the guide's service says.
export const REFUSED_DOMAIN = 'Only okta.com emails can register.';

export async function api(method, path, body) {
  const headers = { authorization: `SSWS ${token}`, accept: 'application/json' };
  if (body) headers['content-type'] = 'application/json';
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

async function hook(path) {
  const config = {
    uri: responder + path,
    method: 'POST',
    headers: [],
    authScheme: { type: 'HEADER', key: 'Authorization', value: process.env.RESPONDER_AUTHORIZATION },
  };
  const created = await api('POST', '/api/v1/inlineHooks', {
    name: `clients ${path} ${unique()}`,
    type: 'com.okta.user.pre-registration',
    version: '1.0.0',
    channel: { type: 'HTTP', version: '1.0.0', config },
  });
  return created.id;
}

async function policy(name, changes) {
  const created = await api('POST', '/api/v1/policies', { name: `${name} ${unique()}`, type: 'PROFILE_ENROLLMENT', status: 'ACTIVE' });
  const [rule] = await api('GET', `/api/v1/policies/${created.id}/rules`);
  Object.assign(rule.actions.profileEnrollment, { activationRequirements: { emailVerification: false } }, changes);
  await api('PUT', `/api/v1/policies/${created.id}/rules/${rule.id}`, rule);
  return created.id;
}

async function app(label, redirectUri, policyId) {
  const created = await api('POST', '/api/v1/apps', {
    name: 'oidc_client',
    label,
    signOnMode: 'OPENID_CONNECT',
    credentials: { oauthClient: { token_endpoint_auth_method: 'none' } },
    settings: {
      oauthClient: {
        application_type: 'browser',
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code', 'interaction_code', 'refresh_token'],
      },
    },
  });
  await api('PUT', `/api/v1/apps/${created.id}/policies/${policyId}`);
  return created.credentials.oauthClient.client_id;
}

const names = [
  { name: 'email', label: 'Email', required: true },
  { name: 'firstName', label: 'First name', required: true },
  { name: 'lastName', label: 'Last name', required: true },
];

// The client ids of both apps, whose pages are at one origin.
export async function setUp(redirectUri) {
  const readWrite = { permissions: [{ principal: 'SELF', action: 'READ_WRITE' }] };
  await api('POST', '/api/v1/meta/schemas/user/default', { definitions: { base: { properties: { employeeNumber: readWrite } } } });
  const signUp = await policy('Sign up', {
    unknownUserAction: 'REGISTER',
    progressiveProfilingAction: 'DISABLED',
    profileAttributes: names,
    preRegistrationInlineHooks: [{ inlineHookId: await hook('/registrationHookSSR') }],
  });
  const employees = await policy('Employees', {
    unknownUserAction: 'DENY',
    progressiveProfilingAction: 'ENABLED',
    profileAttributes: [...names, { name: 'employeeNumber', label: 'Employee number', required: true }],
    preRegistrationInlineHooks: [{ inlineHookId: await hook('/registrationHookPP') }],
  });
  return { portal: await app('Portal', redirectUri, signUp), staff: await app('Staff', redirectUri, employees) };
}

export const issuer = `${base}/oauth2/default`;

let count = 0;
export function unique() {
  count += 1;
  return `${process.pid}-${count}`;
}

export function newLogin(domain = 'okta.com') {
  return `person.${unique()}@${domain}`;
}

// Somebody who can sign in with PASSWORD.
export async function createUser(login = newLogin()) {
  const profile = { login, email: login, firstName: 'Rosario', lastName: 'Jones' };
  await api('POST', '/api/v1/users?activate=true', { profile, credentials: { password: { value: PASSWORD } } });
  return login;
}

// The profile of a user, or nothing if there is none.
export async function profileOf(login) {
  try {
    return (await api('GET', `/api/v1/users/${encodeURIComponent(login)}`)).profile;
  } catch (error) {
    if (error.message.includes('E0000007')) return undefined;
    throw error;
  }
}

// The code in the last mail to this address, as the outbox of a development org shows it.
export async function mailedCode(address) {
  const page = await (await fetch(`${base}/hookwright/outbox`)).text();
  const at = page.indexOf(address);
  const code = at < 0 ? null : /\b(\d{8}|\d{6})\b/.exec(page.slice(at + address.length));
  if (!code) throw new Error(`no code for ${address} in the outbox`);
  return code[1];
}

// The registration guide's external service as a Node developer would write it: Express, its JSON parser, Basic
// auth, and a console line for each decision.
import express from 'express';

const expected = 'Basic ' + Buffer.from('admin:supersecret').toString('base64');
const app = express();

app.use((request, response, next) => {
  if (request.headers.authorization !== expected) {
    response.set('WWW-Authenticate', 'Basic realm="hooks"').status(401).send('Unauthorized');
    return;
  }
  next();
});
app.use(express.json());

app.get('/readyz', (_request, response) => response.send('ready'));

app.post('/registrationHookSSR', (request, response) => {
  const { requestType, data } = request.body;
  console.log(`Request of type ${requestType}`);
  if (requestType !== 'self.service.registration') {
    response.json({});
    return;
  }
  const { firstName, lastName, login, email } = data.userProfile;
  const allowed = login.split('@')[1] === 'okta.com';
  console.log(`${firstName} ${lastName} ${email} ${allowed ? 'may register' : 'was denied'}`);
  const answer = {
    commands: [{ type: 'com.okta.action.update', value: { registration: allowed ? 'ALLOW' : 'DENY' } }],
  };
  if (!allowed) {
    answer.error = {
      errorSummary: 'Incorrect email address. Please contact your admin.',
      errorCauses: [
        {
          errorSummary: 'Only okta.com emails can register.',
          reason: 'INVALID_EMAIL_DOMAIN',
          locationType: 'body',
          location: 'data.userProfile.email',
          domain: 'end-user',
        },
      ],
    };
  }
  response.status(200).send(JSON.stringify(answer));
});

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

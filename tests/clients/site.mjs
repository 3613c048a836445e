// The pages of a client: static files at an origin of their own, with what npm installed under /npm/.

import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = { '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2', '.json': 'application/json' };

const pages = {
  '/auth-js': '<!doctype html><meta charset="utf-8"><title>auth-js</title><script src="/npm/okta-auth-js/dist/okta-auth-js.min.js"></script>',
  '/gen2': widgetPage('okta-sign-in.min'),
  '/gen3': widgetPage('okta-sign-in.next'),
  '/login/callback':
    '<!doctype html><meta charset="utf-8"><title>Callback</title><script src="/npm/okta-auth-js/dist/okta-auth-js.min.js"></script>',
};

function widgetPage(build) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Widget</title>
<link rel="stylesheet" href="/npm/okta-signin-widget/dist/css/${build}.css">
<script src="/npm/okta-signin-widget/dist/js/${build}.js"></script>
<div id="widget"></div></html>`;
}

export async function startSite() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    if (pages[pathname]) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(pages[pathname]);
    } else if (pathname.startsWith('/npm/')) {
      const file = join(import.meta.dirname, 'node_modules', '@okta', normalize(pathname.slice('/npm'.length)));
      const stream = createReadStream(file);
      stream.on('open', () => response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }));
      stream.on('error', () => response.writeHead(404).end());
      stream.pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://localhost:${server.address().port}`, close: () => server.close() };
}

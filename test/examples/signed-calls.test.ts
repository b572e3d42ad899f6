import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { signedFetch } from '../../examples/signed-calls/signed-fetch.ts';
import { ROOT, textOf } from '../docs/pages.ts';
import { answer, startApiServer, type ApiServer } from '../unit/client/api-server.ts';
import { signatureOf } from '../unit/adapters/sigv4.ts';

let server: ApiServer;
beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_SESSION_TOKEN', 'session');
  server = await startApiServer();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

it.each<[string, (sluice: SluiceClient) => Promise<unknown>]>([
  ['a call without a body', (sluice) => sluice.cancel('order:4711@shop')],
  ['a body', (sluice) => sluice.submit({ type: 'greet', id: 'a', payload: { name: 'Zoë' } })],
  ['a body in bytes', (sluice) => sluice.submitMany([1, 2].map((n) => ({ type: 'greet', id: `a${n}`, payload: n })))],
  ['a query with a parameter that comes twice', (sluice) => sluice.listPage({ labels: { team: 'a b', shop: 'é' } })],
])('%s is signed as API Gateway reads it', async (_, call) => {
  const sluice = new SluiceClient({ baseUrl: server.baseUrl, token: 'none', fetch: signedFetch('eu-west-1'), retries: 0, coalesceMs: 0 });
  server.reply(answer(404, {}));

  await call(sluice).catch(() => undefined);

  expect(server.received).toHaveLength(1);
  const [{ method, url, headers, body }] = server.received as [(typeof server.received)[number]];
  const { given, wanted, scope } = signatureOf({ method, path: url, headers, body }, 'secret');
  expect(given).toBe(wanted);
  expect(scope).toMatch(/^AKID\/\d{8}\/eu-west-1\/execute-api\/aws4_request$/);
  expect(headers['x-amz-security-token']).toBe('session');
});

it('is what docs/api.md shows', () => {
  const [, file = '', code] = /<!-- file: (\S+) -->\n\n```ts\n([^]*?)```/.exec(textOf('docs/api.md')) ?? [];
  expect(file).toBe('examples/signed-calls/signed-fetch.ts');
  expect(code).toBe(readFileSync(join(ROOT, file), 'utf8'));
});

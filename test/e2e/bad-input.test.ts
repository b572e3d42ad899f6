import { LIMITS, problemSchema } from '@sluice/contracts';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientWith, finished, fresh, target, tokenOf, type Client } from './target.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const nested = (depth: number) => `{"type":"unruly","payload":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const task = (over: Record<string, unknown>) => JSON.stringify({ type: 'unruly', payload: { do: 'ok' }, ...over });

let token: string;
let client: Client;
beforeAll(async () => {
  token = await tokenOf(fresh('clumsy'));
  client = clientWith(token);
});

/** Each is refused with its code, and with words that name what is allowed and what to do. */
describe.concurrent('a submission', () => {
  test.each<[what: string, body: string, status: number, code: string, says: RegExp]>([
    ['of an unknown type', task({ type: 'no-such-type' }), 400, 'unknown_type', /deployed are: .*unruly/],
    ['without a type', '{"payload":1}', 400, 'bad_request', /type/],
    ['over the limit of payloads', task({ payload: 'x'.repeat(LIMITS.payloadBytes) }), 413, 'payload_too_large', /1048576.*S3/],
    ['over the limit of bodies', task({ payload: 'x'.repeat(LIMITS.bodyBytes) }), 413, 'body_too_large', /4194304/],
    ['with an id that is too long', task({ id: 'x'.repeat(129) }), 400, 'bad_request', /128 characters/],
    ['with an id of odd characters', task({ id: 'a/b#c' }), 400, 'bad_request', /letters, digits and/],
    ['with an empty id', task({ id: '' }), 400, 'bad_request', /id/],
    ['due in six years', task({ runAt: inDays(6 * 366) }), 400, 'bad_request', /too far away; the latest is/],
    ['delayed by six years', task({ delaySeconds: 6 * 366 * 86_400 }), 400, 'bad_request', /delaySeconds/],
    ['due at no time', task({ runAt: 'tomorrow' }), 400, 'bad_request', /runAt/],
    ['that expires before it is due', task({ runAt: inDays(2), expiresAt: inDays(1) }), 400, 'bad_request', /not after the task's start/],
    ['of an unknown priority', task({ priority: 'urgent' }), 400, 'bad_request', /priority/],
    ['that is no JSON', '{"type": ', 400, 'malformed_json', /not JSON/],
    ['that is empty', '', 400, 'malformed_json', /empty/],
    ['that is a list', '[]', 400, 'bad_request', /object/],
    ['nested too deep', nested(LIMITS.payloadDepth + 1), 400, 'bad_request', /deeper than 64/],
    ['nested so deep that it would overflow a stack', nested(500_000), 400, 'bad_request', /deeper than 64/],
    ['with a number that no double holds', task({}).replace('"ok"', '1e999'), 400, 'bad_request', /beyond a double/],
    ['with half a character', '{"type":"unruly","payload":"\\ud800"}', 400, 'bad_request', /surrogate/],
    [
      'with too many labels',
      task({ labels: Object.fromEntries([...Array(11).keys()].map((n) => [`l${n}`, ''])) }),
      400,
      'bad_request',
      /10/,
    ],
  ])('%s is refused', async (_, body, status, code, says) => {
    const response = await call('/v1/tasks', { method: 'POST', body, token });

    const problem = problemSchema.parse(await response.json());
    expect(problem).toMatchObject({ status, code });
    expect(response.status).toBe(status);
    expect(problem.detail).toMatch(says);
  });

  test('due in the past runs now', async () => {
    const { id } = await client.submit({ type: 'unruly-wait', payload: { do: 'ok' }, runAt: inDays(-1_000) });
    expect(await finished(client, id)).toMatchObject({ state: 'succeeded' });
  });

  test('whose payload does not fit its handler fails for good, and says where', async () => {
    const { id } = await client.submit({ type: 'send-email', payload: { to: 'nobody', subject: 7 } });
    const failed = await finished(client, id);
    expect(failed).toMatchObject({ state: 'failed', reason: 'fatal', attempts: 1, error: { name: 'InputError' } });
    expect(failed.error?.message).toContain('subject');
  });
});

describe.concurrent('a query', () => {
  test.each([
    ['/v1/tasks?limit=0', /limit/],
    ['/v1/tasks?limit=201', /200/],
    ['/v1/tasks?state=asleep', /state/],
    ['/v1/tasks?label=nokey', /key:value/],
    ['/v1/tasks?from=yesterday', /from/],
    ['/v1/tasks?colour=red', /colour/],
    ['/v1/tasks/some-id?include=secrets', /secrets/],
    ['/v1/tasks/some-id/result?wait=26', /25/],
  ])('%s is refused', async (path, says) => {
    const response = await call(path, { token });
    const problem = problemSchema.parse(await response.json());
    expect(problem).toMatchObject({ status: 400, code: 'bad_request' });
    expect(problem.detail).toMatch(says);
  });
});

describe.concurrent('a batch', () => {
  const COUNT = 200;
  const tasksOf = (prefix: string) =>
    [...Array(COUNT).keys()].map((n) => ({ type: 'unruly', id: `${prefix}-${n}`, payload: { do: 'ok' }, runAt: inDays(1) }));

  async function sentAgain(prefix: string, tasks: ReturnType<typeof tasksOf>): Promise<void> {
    expect(await client.submitMany(tasks)).toMatchObject({ accepted: COUNT, failed: 0 });
    for (const n of [0, COUNT - 1]) expect(await client.get(`${prefix}-${n}`)).toMatchObject({ state: 'waiting' });
  }

  test('whose caller hangs up while it is worked on may be sent again', async () => {
    const prefix = fresh('hung-up');
    const tasks = tasksOf(prefix);
    const hangUp = AbortSignal.timeout(30);
    await call('/v1/tasks/batch', { method: 'POST', body: JSON.stringify({ tasks }), token, signal: hangUp }).catch(() => undefined);
    await sentAgain(prefix, tasks);
  });

  test.runIf(target.isEmbedded)('whose connection is cut in the middle has no effect', async () => {
    const prefix = fresh('cut');
    const tasks = tasksOf(prefix);
    const body = JSON.stringify({ tasks });
    const { hostname, port } = new URL(target.url);
    const socket = connect(Number(port), hostname);
    const head = `POST /v1/tasks/batch HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\ncontent-length: ${body.length}\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(head + body.slice(0, body.length / 2), () => resolve()));
    socket.destroy();
    expect((await call(`/v1/tasks/${prefix}-0`, { token })).status).toBe(404);
    await sentAgain(prefix, tasks);
  });
});

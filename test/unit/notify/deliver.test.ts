import { deliverySchema, notificationSchema, SYSTEM_TYPES, TERMINAL_STATES, webhookBodySchema, type TaskTypeSpec } from '@sluice/contracts';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { systemTokens } from '../../../adapters/system.ts';
import { retryTask } from '../../../core/api/retry-task.ts';
import { judgeAnswer, retryAfterOf } from '../../../core/notify/judge-answer.ts';
import { createWebhookSecret } from '../../../core/notify/secrets.ts';
import { deliveryId } from '../../../core/notify/submit-deliveries.ts';
import type { WebhookAnswer } from '../../../core/ports/webhook-sender.ts';
import { createNotifiedWorld, DELIVERY_ATTEMPTS, HOOK } from '../../helpers/notified-world.ts';
import { T0 } from '../../helpers/samples.ts';
import { typeSpec } from '../../helpers/world.ts';

const ALL: TaskTypeSpec['notify'] = { events: [...TERMINAL_STATES], webhook: { url: HOOK }, queue: { name: 'ends' } };
const told = [typeSpec('echo', { notify: ALL })];
const echo = { echo: ({ payload }: { payload?: unknown }) => payload };
const answering = (status: number, more: object = {}): WebhookAnswer => ({ kind: 'answered', status, body: '', ...more });

describe('a delivery', () => {
  it('is signed so that a library of Standard Webhooks verifies it, with each secret that signs', async () => {
    const { world, webhooks, settleAll } = await createNotifiedWorld(told, echo);
    const deps = { ...world.deps, ...systemTokens };
    const [first, second] = [await createWebhookSecret(deps, 'a'), await createWebhookSecret(deps, 'a', { overlapSeconds: 3_600 })];
    await world.submit('a', { type: 'echo', id: 't', payload: { n: 1 }, labels: { order: '17' } });
    await settleAll();

    const [sent] = webhooks.sent();
    const { uid, endedAt = 0 } = await world.row('a', 't');
    expect(sent).toMatchObject({
      tenant: 'a',
      url: HOOK,
      headers: { 'webhook-id': `${uid}:succeeded`, 'content-type': 'application/json' },
    });
    expect(sent?.headers['webhook-signature']?.split(' ')).toHaveLength(3);
    // The library compares times with its own clock, ours stands in the past.
    for (const { secret } of [first, second]) {
      const [id = '', seconds] = [sent?.headers['webhook-id'], Number(sent?.headers['webhook-timestamp'])];
      expect(sent?.headers['webhook-signature']).toContain(new Webhook(secret).sign(id, new Date(seconds * 1_000), sent?.body ?? ''));
    }
    expect(webhookBodySchema.parse(JSON.parse(sent?.body ?? ''))).toEqual({
      type: 'task.succeeded',
      timestamp: new Date(endedAt).toISOString(),
      data: expect.objectContaining({
        v: 1,
        id: 't',
        uid,
        labels: { order: '17' },
        result: { n: 1 },
        eventId: `${uid}:succeeded`,
      }) as unknown,
    });
    expect(sent?.headers['webhook-id']).not.toContain('.');
  });

  it('puts the same into a queue, with what receivers choose by', async () => {
    const { world, messages, settleAll } = await createNotifiedWorld(told, echo);
    await world.submit('b', { type: 'echo', id: 't', payload: 'x'.repeat(1_000) });
    await settleAll();
    const [sent] = messages.sent();
    expect(sent).toMatchObject({ tenant: 'b', queueUrl: 'https://sqs/ends', type: 'echo', state: 'succeeded' });
    expect(notificationSchema.parse(JSON.parse(sent?.body ?? ''))).toMatchObject({ tenant: 'b', id: 't', result: 'x'.repeat(1_000) });
  });

  it.each([
    ['a result of 8,192 bytes with it', 'x'.repeat(8_190), { result: 'x'.repeat(8_190) }],
    ['of a larger one its bytes', 'x'.repeat(8_191), { resultBytes: 8_193 }],
    ['nothing of a task without one', undefined, {}],
  ])('has %s', async (_, result, expected) => {
    const { world, messages, settleAll } = await createNotifiedWorld(told, { echo: () => result });
    await world.submit('a', { type: 'echo', id: 't' });
    await settleAll();
    const { result: given, resultBytes } = JSON.parse(messages.sent()[0]?.body ?? '') as Record<string, unknown>;
    expect({ ...(given !== undefined && { result: given }), ...(resultBytes !== undefined && { resultBytes }) }).toEqual(expected);
  });

  it('holds nothing that a queue refuses, whatever its task said', async () => {
    const odd = 'a\uffffb\ufffec\ud800d\u0000';
    const { world, messages, settleAll } = await createNotifiedWorld([typeSpec('echo', { notify: ALL, start: 'wait' })], {
      echo: () => ({ odd }),
    });
    await world.submit('a', { type: 'echo', id: 't' });
    await settleAll();
    const [sent] = messages.sent();
    expect(sent?.body).not.toMatch(/[\ufffe\uffff\ud800\u0000]/);
    expect(JSON.parse(sent?.body ?? '')).toMatchObject({ result: { odd } });
  });

  it('tells the error of a failure, and where the task says so nothing else', async () => {
    const { world, webhooks, messages, settleAll } = await createNotifiedWorld([typeSpec('echo')], {
      echo: () => {
        throw Object.assign(new Error('no'), { name: 'FatalError' });
      },
    });
    await world.submit('a', { type: 'echo', id: 't', notify: { webhook: { url: HOOK, on: ['failed'] } } });
    await settleAll();
    expect(JSON.parse(webhooks.sent()[0]?.body ?? '')).toMatchObject({
      type: 'task.failed',
      data: { reason: 'fatal', error: { name: 'FatalError' } },
    });
    expect(messages.sent()).toEqual([]);
  });

  it('is a task of its tenant that names the task it tells of', async () => {
    const { world, settleAll } = await createNotifiedWorld(told, echo);
    await world.submit('a', { type: 'echo', id: 't' });
    await settleAll();
    const task = await world.row('a', 't');
    const row = await world.row('a', deliveryId(task, 'webhook'));
    expect(row).toMatchObject({ tenant: 'a', type: SYSTEM_TYPES.notify, labels: { task: 't' }, result: { json: '{"status":204}' } });
    const payload = await world.values
      .get('a', row.id, row.uid, 'payload', row.payload as never)
      .catch(() => (row.payload as { json: string }).json);
    expect(deliverySchema.parse(JSON.parse(payload))).toMatchObject({ to: { webhook: HOOK } });
  });

  it('keeps what its task says through a retry', async () => {
    let fails = true;
    const { world, webhooks, settleAll } = await createNotifiedWorld([typeSpec('echo')], {
      echo: () => {
        if (fails) throw Object.assign(new Error('no'), { name: 'FatalError' });
        return null;
      },
    });
    const notify = { webhook: { url: HOOK } };
    await world.submit('a', { type: 'echo', id: 't', notify });
    await settleAll();
    fails = false;
    await world.submit('a', { type: 'echo', id: 't', notify });
    await settleAll();
    expect(webhooks.sent().map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual(['task.failed', 'task.succeeded']);
  });
});

describe('a receiver that never takes it', () => {
  it.each([
    ['fails', answering(500), DELIVERY_ATTEMPTS],
    ['does not answer', { kind: 'failed', message: 'cut' } as const, DELIVERY_ATTEMPTS],
    ['is gone', answering(410), 1],
    ['puts it off for ever', answering(429, { retryAfter: '1' }), 50 + DELIVERY_ATTEMPTS],
  ])('and %s gets what the policy allows, and no more by whoever tells the end again', async (_, answer, calls) => {
    const { world, webhooks, settleAll } = await createNotifiedWorld(
      [typeSpec('echo', { notify: { webhook: { url: HOOK } } })],
      {
        echo: () => {
          throw Object.assign(new Error('no'), { name: 'FatalError' });
        },
      },
      () => answer,
    );
    await world.submit('a', { type: 'echo', id: 't' });
    await settleAll();
    const ids = () => new Set(webhooks.sent().map(({ headers }) => headers['webhook-id']));
    expect(webhooks.sent()).toHaveLength(calls);
    expect(ids().size).toBe(1);
    const { uid } = await world.row('a', 't');
    expect(await world.row('a', deliveryId({ uid, state: 'failed' }, 'webhook'))).toMatchObject({ state: 'failed' });

    // Freeing the id repeats the effects of the old generation: its delivery has had its attempts.
    await world.submit('a', { type: 'echo', id: 't' });
    await settleAll();
    expect(webhooks.sent()).toHaveLength(2 * calls);
    expect(ids().size).toBe(2);

    // The failed deliveries are events, and nothing more: one task each, and no delivery of a delivery.
    const deliveries = world.tasks.rows().filter((row) => row.type === SYSTEM_TYPES.notify);
    expect(deliveries).toHaveLength(2);
    expect(world.events.events().filter(({ type }) => type === SYSTEM_TYPES.notify)).toHaveLength(2);
  });

  it('gets it when its delivery is retried by hand', async () => {
    let up = false;
    const { world, webhooks, settleAll } = await createNotifiedWorld(told, echo, () => answering(up ? 200 : 410));
    await world.submit('a', { type: 'echo', id: 't' });
    await settleAll();
    up = true;
    await retryTask(world.deps, 'a', deliveryId(await world.row('a', 't'), 'webhook'));
    await settleAll();
    const [dead, alive] = webhooks.sent();
    expect(alive?.headers['webhook-id']).toBe(dead?.headers['webhook-id']);
    expect(alive?.body).toBe(dead?.body);
    expect(await world.row('a', deliveryId(await world.row('a', 't'), 'webhook'))).toMatchObject({ state: 'succeeded' });
  });
});

describe('a submission that names a receiver', () => {
  it.each([
    [
      'a queue that is not declared',
      { queue: { name: 'nope' } },
      'unknown_queue',
      'there is no queue "nope" for notifications; there are: ends.',
    ],
    ["another tenant's queue", { queue: { name: 'private' } }, 'unknown_queue', 'there are: ends.'],
    ['an inherited name', { queue: { name: 'constructor' } }, 'unknown_queue', 'there is no queue "constructor"'],
    ['a private address', { webhook: { url: 'https://10.1.2.3/' } }, 'bad_request', '10.1.2.3 is an address and not a name'],
    ['a port that is not allowed', { webhook: { url: 'https://example.com:8080/' } }, 'bad_request', 'allowed are: 443'],
  ])('is refused for %s', async (_, notify, code, message) => {
    const { world } = await createNotifiedWorld([typeSpec('echo')], echo);
    const [result] = await world.submit('a', { type: 'echo', notify });
    expect(result).toMatchObject({ ok: false, error: { code, message: expect.stringContaining(message) as string } });
  });

  it('is taken where its tenant may use the queue', async () => {
    const { world, messages, settleAll } = await createNotifiedWorld([typeSpec('echo')], echo);
    await world.submit('b', { type: 'echo', id: 't', notify: { queue: { name: 'private' } } });
    await settleAll();
    expect(messages.sent()).toMatchObject([{ tenant: 'b', queueUrl: 'https://sqs/private' }]);
  });

  it('is refused while its tenant has no secret; reads for a webhook alone, once for a batch', async () => {
    const { world } = await createNotifiedWorld([typeSpec('echo')], echo);
    const webhook = { type: 'echo', notify: { webhook: { url: HOOK } } };
    expect(await world.submit('c', webhook)).toMatchObject([{ ok: false, error: { code: 'no_webhook_secret' } }]);
    let reads = 0;
    const deps = {
      ...world.deps,
      webhookSecrets: { ...world.webhookSecrets, get: async (tenant: string) => (reads++, world.webhookSecrets.get(tenant)) },
    };
    await world.submitBy(deps, 'a', { type: 'echo' }, { type: 'echo', notify: { queue: { name: 'ends' } } });
    expect(reads).toBe(0);
    await world.submitBy(deps, 'a', webhook, webhook, webhook);
    expect(reads).toBe(1);
  });

  it("waits for its tenant's secret where its type names the webhook", async () => {
    const { world, webhooks, settleAll } = await createNotifiedWorld(told, echo);
    await world.submit('c', { type: 'echo', id: 't' });
    await settleAll();
    expect(webhooks.sent()).toEqual([]);
    expect(await world.row('c', deliveryId(await world.row('c', 't'), 'webhook'))).toMatchObject({
      state: 'failed',
      error: { message: 'tenant c has no secret to sign webhooks with; make one with POST /v1/webhook-secrets, then retry this task' },
    });
  });
});

describe('an answer', () => {
  const judge = (answer: WebhookAnswer, attempt = 1, throttled = 0) => judgeAnswer({ answer, attempt, throttled, now: T0 });

  it.each([
    [200, 1, 'delivered'],
    [202, 1, 'delivered'],
    [299, 1, 'delivered'],
    // A redirect is followed by nobody.
    [302, 1, 'retryable'],
    [302, 5, 'fatal'],
    [400, 4, 'retryable'],
    [400, 5, 'fatal'],
    [404, 5, 'fatal'],
    [408, 11, 'retryable'],
    [410, 1, 'fatal'],
    [429, 11, 'retryable'],
    [500, 11, 'retryable'],
    [503, 11, 'retryable'],
  ])('of %i at attempt %i is %s', (status, attempt, as) => {
    expect(judge(answering(status), attempt)).toMatchObject({ as });
  });

  it('says when to come back, within bounds and not for ever', () => {
    expect(judge(answering(429, { retryAfter: '30' }))).toMatchObject({ as: 'throttled', retryAfterMs: 30_000 });
    expect(judge(answering(503, { retryAfter: '30' }))).toMatchObject({ as: 'throttled', retryAfterMs: 30_000 });
    expect(judge(answering(500, { retryAfter: '30' }))).toMatchObject({ as: 'retryable' });
    expect(judge(answering(429, { retryAfter: '30' }), 1, 49)).toMatchObject({ as: 'throttled' });
    expect(judge(answering(429, { retryAfter: '30' }), 1, 50)).toMatchObject({ as: 'retryable' });
  });

  it.each([
    ['120', 120_000],
    ['0', 1_000],
    ['999999999', 7 * 86_400_000],
    [new Date(T0 + 60_000).toUTCString(), 60_000],
    [new Date(T0 - 60_000).toUTCString(), 1_000],
    ['soon', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    [undefined, undefined],
  ])('with Retry-After %s comes back after %s ms', (header, ms) => {
    expect(retryAfterOf(header, T0)).toBe(ms);
  });

  it('shows a little of what a receiver says', () => {
    expect(judge(answering(500, { body: 'x'.repeat(500) }))).toMatchObject({ message: `the receiver answered 500: ${'x'.repeat(200)}` });
  });
});

import { LIMITS } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryTokenStore, createMemoryWebhookSecretStore } from '../../../adapters/memory/index.ts';
import { systemTokens } from '../../../adapters/system.ts';
import { createWebhookSecret, deleteWebhookSecret, listWebhookSecrets, type WebhookSecretDeps } from '../../../core/notify/secrets.ts';
import { createHandler } from '../../../functions/api/handler.ts';
import { createWorld, type World } from '../../helpers/world.ts';
import { answerOf, request } from '../http/requests.ts';

let world: World;
let deps: WebhookSecretDeps;
beforeEach(() => {
  world = createWorld();
  deps = { ...world.deps, ...systemTokens, webhookSecrets: createMemoryWebhookSecretStore() };
});
const idsOf = async (tenant: string) => (await listWebhookSecrets(deps, tenant)).map(({ id }) => id);

describe('a webhook secret', () => {
  it('is shown once, when it is made', async () => {
    const made = await createWebhookSecret(deps, 'a');
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await listWebhookSecrets(deps, 'a')).toEqual([{ id: made.id, createdAt: made.createdAt }]);
    expect(JSON.stringify(world.telemetry.lines())).not.toContain(made.secret);
  });

  it('signs beside the one after it for the overlap, by default a day', async () => {
    const first = await createWebhookSecret(deps, 'a');
    const second = await createWebhookSecret(deps, 'a');
    expect(await idsOf('a')).toEqual([second.id, first.id]);
    world.clock.advance(86_400_000 - 1);
    expect(await idsOf('a')).toEqual([second.id, first.id]);
    world.clock.advance(1);
    expect(await idsOf('a')).toEqual([second.id]);
  });

  it('ends at once where the overlap is 0, and no later than it was to end before', async () => {
    const first = await createWebhookSecret(deps, 'a');
    const second = await createWebhookSecret(deps, 'a', { overlapSeconds: 60 });
    await createWebhookSecret(deps, 'a', { overlapSeconds: 3_600 });
    const ends = new Map((await listWebhookSecrets(deps, 'a')).map(({ id, expiresAt }) => [id, Date.parse(expiresAt ?? '')]));
    expect(ends.get(first.id)).toBe(world.clock.now() + 60_000);
    expect(ends.get(second.id)).toBe(world.clock.now() + 3_600_000);
    const last = await createWebhookSecret(deps, 'a', { overlapSeconds: 0 });
    expect(await idsOf('a')).toEqual([last.id]);
  });

  it('that was replaced is ended by its id; the current one is not, and one of another tenant is unknown', async () => {
    const first = await createWebhookSecret(deps, 'a');
    await expect(deleteWebhookSecret(deps, 'a', first.id)).rejects.toMatchObject({ code: 'state_conflict' });
    const second = await createWebhookSecret(deps, 'a');
    await expect(deleteWebhookSecret(deps, 'b', first.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(deleteWebhookSecret(deps, 'a', 'nonsense')).rejects.toMatchObject({ code: 'not_found' });
    await deleteWebhookSecret(deps, 'a', first.id);
    await expect(deleteWebhookSecret(deps, 'a', first.id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await idsOf('a')).toEqual([second.id]);
  });

  it('is made once and ended once where the first try was written and its answer lost', async () => {
    const { webhookSecrets } = deps;
    const losing = (): WebhookSecretDeps => {
      let isLost = false;
      const put: typeof webhookSecrets.put = async (tenant, record) => {
        const written = await webhookSecrets.put(tenant, record);
        if (isLost) return written;
        isLost = true;
        // The call is repeated, and finds its own write.
        return webhookSecrets.put(tenant, record);
      };
      return { ...deps, webhookSecrets: { ...webhookSecrets, put } };
    };
    const first = await createWebhookSecret(losing(), 'a');
    expect(await listWebhookSecrets(deps, 'a')).toEqual([{ id: first.id, createdAt: first.createdAt }]);
    const second = await createWebhookSecret(losing(), 'a');
    expect(await idsOf('a')).toEqual([second.id, first.id]);
    await deleteWebhookSecret(losing(), 'a', first.id);
    expect(await idsOf('a')).toEqual([second.id]);
  });

  it(`is at most one of ${LIMITS.webhookSecrets} that sign at once`, async () => {
    for (let n = 0; n < LIMITS.webhookSecrets; n++) await createWebhookSecret(deps, 'a');
    await expect(createWebhookSecret(deps, 'a')).rejects.toMatchObject({ code: 'too_many_webhook_secrets' });
    expect(await idsOf('a')).toHaveLength(LIMITS.webhookSecrets);
    await createWebhookSecret(deps, 'a', { overlapSeconds: 0 });
    expect(await idsOf('b')).toEqual([]);
  });

  it('is not lost to another that is made at the same time', async () => {
    const made = await Promise.all([createWebhookSecret(deps, 'a'), createWebhookSecret(deps, 'a'), createWebhookSecret(deps, 'a')]);
    expect((await idsOf('a')).toSorted()).toEqual(made.map(({ id }) => id).toSorted());
  });
});

describe('the routes of webhook secrets', () => {
  it('need the scope admin, and are of the own tenant', async () => {
    const handler = createHandler({
      ...world.deps,
      ...systemTokens,
      ...deps,
      tokens: createMemoryTokenStore(),
      list: undefined,
      version: '1',
    });
    const ask = async (route: string, options: object = {}) => answerOf(await handler(request(route, { scopes: ['admin'], ...options })));
    expect(await ask('GET /v1/webhook-secrets', { scopes: ['submit', 'read', 'operate'] })).toMatchObject({ status: 403 });
    const first = await ask('POST /v1/webhook-secrets');
    expect(first).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/) as string } });
    expect(await ask('POST /v1/webhook-secrets', { body: { overlapSeconds: 60 } })).toMatchObject({ status: 201 });
    const listed = await ask('GET /v1/webhook-secrets');
    expect(listed.body).toMatchObject({
      secrets: [{ id: expect.any(String) as string }, { id: first.body['id'], expiresAt: expect.any(String) as string }],
    });
    expect(JSON.stringify(listed.body)).not.toContain('whsec_');
    expect(await ask('DELETE /v1/webhook-secrets/{id}', { path: { id: first.body['id'] } })).toMatchObject({ status: 204 });
    expect(await ask('POST /v1/webhook-secrets', { body: { overlap: 1 } })).toMatchObject({ status: 400 });
  });
});

import { laneListSchema, type LaneList } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { lanePlatform } from '../../helpers/lanes-api.ts';
import { typeSpec } from '../../helpers/world.ts';

describe('the list of lanes', () => {
  it('has those that are in use, by tenant and type, and no other', async () => {
    const { list, know, fly, wait, give, grant, quota } = lanePlatform(typeSpec('a'), typeSpec('b'));
    for (const tenant of ['idle', 'flies', 'waits', 'shares']) await know(tenant);
    await quota('quoted', { weight: 2 });
    await fly('flies', 1, 'b');
    await wait('waits', 2, 'a');
    await fly('waits', 1, 'b');
    await give('shares', 3, 'a');
    await fly('quoted', 1, 'a');
    // No token was ever made for them: what is known of them is their share, or their backlog.
    await grant('granted', [1], 'b');
    await give('granted', 1, 'b');
    await wait('signed', 1, 'b');
    await grant('~', [1], 'a');
    const page = await list({ tenant: '*' });
    expect(laneListSchema.parse(page)).toEqual(page);
    expect(page.lanes.map(({ tenant, type }) => `${tenant} ${type}`)).toEqual([
      'flies b',
      'granted b',
      'quoted a',
      'shares a',
      'signed b',
      'waits a',
      'waits b',
    ]);
    expect(page).not.toHaveProperty('cursor');
    const names = async (query: Record<string, string>) => (await list(query)).lanes.map(({ tenant, type }) => `${tenant} ${type}`);
    expect(await names({ tenant: '*', type: 'a' })).toEqual(['quoted a', 'shares a', 'waits a']);
    expect(await names({ tenant: 'waits' })).toEqual(['waits a', 'waits b']);
    expect(await names({ tenant: '*', waiting: 'true' })).toEqual(['signed b', 'waits a']);
    expect(await names({ tenant: 'waits', waiting: 'true' })).toEqual(['waits a']);
  });

  it('tells of each what the lane itself tells', async () => {
    const { list, get, know, fly, wait } = lanePlatform();
    await know('acme');
    await fly('acme', 10);
    await wait('acme', 4);
    const { limits: _, waitingByClass: __, waitingForBudget: ___, ...summary } = await get('echo');
    expect((await list({ tenant: 'acme' })).lanes).toEqual([summary]);
  });

  it('has a backlog whose type is gone', async () => {
    const { list, wait } = lanePlatform();
    await wait('acme', 1, 'gone');
    expect((await list({ tenant: 'acme' })).lanes).toMatchObject([{ type: 'gone', limit: 0, why: { code: 'type_missing' } }]);
  });

  it('is read page by page, each lane once, and a page may hold none', async () => {
    const { list, know, fly } = lanePlatform();
    const names = Array.from({ length: 2_300 }, (_, n) => `t${String(n).padStart(4, '0')}`);
    for (const tenant of names) await know(tenant);
    const used = [names[3], names[4], names[5], names[2_299]].map(String);
    for (const tenant of used) await fly(tenant, 1);
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page: LaneList = await list({ tenant: '*', limit: '2', ...(cursor !== undefined && { cursor }) });
      pages.push(page.lanes.map(({ tenant }) => tenant));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(pages.flat()).toEqual(used);
    expect(pages.filter((page) => page.length === 0).length).toBeGreaterThan(0);
    expect(pages.every((page) => page.length <= 2)).toBe(true);
  });

  it('takes no cursor of another list', async () => {
    const { call, know, list, fly } = lanePlatform();
    for (const tenant of ['a', 'b', 'c']) {
      await know(tenant);
      await fly(tenant, 1);
    }
    const { cursor = '' } = await list({ tenant: '*', limit: '1' });
    const wrong = [
      { query: { tenant: '*', limit: '1', cursor: `${cursor}A` } },
      { query: { tenant: '*', limit: '1', cursor: 'x' } },
      { query: { tenant: '*', type: 'echo', cursor } },
      { query: { tenant: 'a', cursor } },
      { query: { tenant: '*', cursor }, tenant: 'other' },
    ];
    for (const options of wrong) {
      expect(await call('GET /v1/lanes', options)).toMatchObject({ status: 400, body: { code: 'bad_cursor' } });
    }
  });

  it.each([[{ limit: '0' }], [{ limit: '101' }], [{ tenant: 'A#b' }], [{ waiting: 'yes' }], [{ colour: 'red' }]])(
    'refuses %j',
    async (query) => {
      expect(await lanePlatform().call('GET /v1/lanes', { query: query as Record<string, string> })).toMatchObject({
        status: 400,
        body: { code: 'bad_request' },
      });
    },
  );
});

describe('whose lanes somebody sees', () => {
  const routes = (query: Record<string, string> = {}) =>
    [
      ['GET /v1/lanes', { query }],
      ['GET /v1/lanes/{type}', { query, path: { type: 'echo' } }],
    ] as const;

  it.each(['read', 'admin', 'platform'] as const)('with the scope %s those of the own tenant', async (scope) => {
    const { call, fly } = lanePlatform();
    await fly('acme', 1);
    await fly('globex', 1);
    for (const [route, options] of [...routes(), ...routes({ tenant: 'acme' })]) {
      const { status, body } = await call(route, { ...options, tenant: 'acme', scopes: [scope] });
      expect([status, JSON.stringify(body)]).toEqual([200, expect.stringContaining('"tenant":"acme"')]);
      expect(JSON.stringify(body)).not.toContain('globex');
    }
  });

  it.each(['submit', 'operate'] as const)('with the scope %s none', async (scope) => {
    const { call } = lanePlatform();
    for (const [route, options] of routes()) {
      expect(await call(route, { ...options, scopes: [scope] })).toMatchObject({ status: 403, body: { details: { needed: 'read' } } });
    }
  });

  it('with the scope platform alone those of another tenant', async () => {
    const { call, fly } = lanePlatform();
    await fly('globex', 1);
    for (const [route, options] of routes({ tenant: 'globex' })) {
      expect(await call(route, { ...options, scopes: ['admin'] })).toMatchObject({
        status: 403,
        body: { details: { needed: 'platform' } },
      });
      const { status, body } = await call(route, { ...options, scopes: ['platform'] });
      expect([status, JSON.stringify(body)]).toEqual([200, expect.stringContaining('"tenant":"globex"')]);
    }
    const all = { query: { tenant: '*' }, scopes: ['read'] as const };
    expect(await call('GET /v1/lanes', all)).toMatchObject({ status: 403, body: { details: { needed: 'platform' } } });
    expect(await call('GET /v1/lanes/{type}', { path: { type: 'echo' }, query: { tenant: '*' } })).toMatchObject({ status: 400 });
  });
});

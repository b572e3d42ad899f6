import { describe, expect, it } from 'vitest';
import { createClockRoute } from '../../bin/dev/clock-route.ts';

const T0 = Date.UTC(2026, 0, 1);
const HOST = '127.0.0.1:4700';

function makeRoute(travel?: (to: number) => Promise<void>) {
  let now = T0;
  const route = createClockRoute({
    now: () => now,
    travelTo: async (to) => {
      await travel?.(to);
      now = to;
    },
  });
  return async (method: string, body: unknown = '', headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await route({ method, path: '/_clock', headers: { host: HOST, ...headers }, body: Buffer.from(text) });
    return { status: reply?.status, body: JSON.parse(reply?.body ?? 'null') as { now?: string; message?: string } };
  };
}

describe("the dev server's clock", () => {
  it('tells the time, and jumps by seconds or to a time', async () => {
    const call = makeRoute();
    expect(await call('GET')).toEqual({ status: 200, body: { now: '2026-01-01T00:00:00.000Z' } });
    expect(await call('POST', { seconds: 1_200 })).toEqual({ status: 200, body: { now: '2026-01-01T00:20:00.000Z' } });
    expect(await call('POST', { to: '2026-01-04T00:00:00+00:00' })).toEqual({ status: 200, body: { now: '2026-01-04T00:00:00.000Z' } });
  });

  it.each([
    ['not JSON', 'soon'],
    ['nothing', ''],
    ['the past', { to: '2025-12-31T23:59:59Z' }],
    ['no time at all', { seconds: 0 }],
    ['back', { seconds: -5 }],
    ['a date without a time', { to: '2027-01-01' }],
    ['more than 20 years', { seconds: 21 * 366 * 86_400 }],
    ['both', { seconds: 5, to: '2027-01-01T00:00:00Z' }],
  ])('refuses %s, and says what it takes and what time it is', async (_, body) => {
    const answer = await makeRoute()('POST', body);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('{"seconds": 3600}');
    expect(answer.body.message).toContain('2026-01-01T00:00:00.000Z');
  });

  it.each([[{ origin: 'https://evil.example' }], [{ host: 'evil.example' }], [{ origin: 'null' }]])(
    'refuses a page of elsewhere: %j',
    async (headers) => {
      expect((await makeRoute()('POST', { seconds: 60 }, headers as Record<string, string>)).status).toBe(403);
    },
  );

  it('jumps once at a time, and can again when a jump has failed', async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const call = makeRoute(() => promise);
    const first = call('POST', { seconds: 60 });
    expect((await call('POST', { seconds: 60 })).status).toBe(409);
    reject(new Error('the tick did not come'));
    expect(await first).toEqual({ status: 500, body: { message: 'the tick did not come' } });
    expect((await call('POST', { seconds: 60 })).status).toBe(500);
  });

  it('leaves every other path to others', async () => {
    const route = createClockRoute({ now: () => T0, travelTo: async () => undefined });
    expect(await route({ method: 'POST', path: '/_status', headers: { host: HOST }, body: Buffer.from('') })).toBeUndefined();
  });
});

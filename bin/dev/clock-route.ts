import * as z from 'zod';
import type { PageReply, PageRequest } from './status-page.ts';

const PATH = '/_clock';
const MAX_SECONDS = 20 * 366 * 86_400;
const HELP = 'POST {"seconds": 3600} or {"to": "2027-01-01T00:00:00Z"}, in the future and at most 20 years away';

const bodySchema = z.union([
  z.strictObject({ seconds: z.number().positive().max(MAX_SECONDS) }),
  z.strictObject({ to: z.iso.datetime({ offset: true }) }),
]);

export interface DevClock {
  readonly now: () => number;
  /** Resolves when it is that time, ms. */
  readonly travelTo: (to: number) => Promise<void>;
}

/** The clock of the dev server at `/_clock`: GET tells the time, POST lets it jump. */
export function createClockRoute(clock: DevClock): (request: PageRequest & { readonly body: Buffer }) => Promise<PageReply | undefined> {
  let travelling = false;
  return async ({ method, path, headers, body }) => {
    if (path !== PATH) return undefined;
    const host = headers['host'] ?? '';
    // Not for a page of another origin, which could send this from a browser on this machine.
    const { origin } = headers;
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host) || (origin !== undefined && origin !== `http://${host}`)) {
      return json(403, { message: 'only from this machine' });
    }
    if (method === 'GET') return json(200, nowOf(clock));
    if (method !== 'POST') return json(405, { message: HELP });
    const to = timeIn(body, clock.now());
    if (to === undefined) return json(400, { message: `${HELP}; it is ${nowOf(clock).now}` });
    if (travelling) return json(409, { message: 'the clock is jumping already; try again in a moment' });
    travelling = true;
    try {
      await clock.travelTo(to);
      return json(200, nowOf(clock));
    } catch (error) {
      return json(500, { message: error instanceof Error ? error.message : String(error) });
    } finally {
      travelling = false;
    }
  };
}

/** The time that is asked for, ms; `undefined` where none is, or one that cannot be had. */
function timeIn(body: Buffer, now: number): number | undefined {
  let given: unknown;
  try {
    given = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = bodySchema.safeParse(given);
  if (!parsed.success) return undefined;
  const to = 'to' in parsed.data ? Date.parse(parsed.data.to) : now + parsed.data.seconds * 1000;
  return to > now && to <= now + MAX_SECONDS * 1000 ? to : undefined;
}

function nowOf(clock: DevClock): { now: string } {
  return { now: new Date(clock.now()).toISOString() };
}

function json(status: number, body: unknown): PageReply {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: `${JSON.stringify(body)}\n` };
}

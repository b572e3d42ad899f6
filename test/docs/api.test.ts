import { ERROR_CODES, principalRecordSchema, ROUTES, SCOPES, TASK_VIEW_STATES, TERMINAL_STATES, type RouteName } from '@sluice/contracts';
import { SluiceClient } from '@sluice/client';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { principalKey } from '../../adapters/aws/keys.ts';
import { toldOf } from '../../core/notify/told.ts';
import { rowOf } from '../helpers/samples.ts';
import { blocksIn, PAGES, ROOT, textOf } from './pages.ts';

const page = textOf('docs/api.md');

describe('docs/api.md', () => {
  it.each(Object.keys(ROUTES) as RouteName[])('has the route %s with its scope', (name) => {
    const { method, path, scope } = ROUTES[name];
    expect(page).toContain(`\`${method} ${path}\``);
    const section = page.split(/^## /m).find((part) => part.includes(`\`${method} ${path}\``)) ?? '';
    expect(section).toMatch(scope === undefined ? /no scope/ : new RegExp(`[Ss]cope \`${scope}\``));
  });

  it('has every scope, and no route that is none', () => {
    for (const scope of SCOPES) expect(page).toContain(`| \`${scope}\` |`);
    const routes = Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`);
    const named = [...page.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/\S+)`/g)].map(([, route]) => route);
    expect(named.filter((route) => !routes.includes(route ?? ''))).toEqual([]);
  });

  it('names codes with their status', () => {
    const named = [...page.matchAll(/(\d{3})\s`([a-z_]+)`/g)];
    expect(named.length).toBeGreaterThan(8);
    for (const [, status, code] of named)
      expect({ code, status: ERROR_CODES[code as 'internal'].status }).toEqual({ code, status: Number(status) });
  });

  it('says of all JSON what it is', () => {
    expect(blocksIn('docs/api.md', 'json').filter(({ info }) => info === '')).toEqual([]);
  });

  it('shows the item of a principal as the platform reads it', () => {
    const [, json = ''] = /--item '([^']+)'/.exec(page) ?? [];
    const { p, s, ...item } = unmarshall(JSON.parse(json) as Parameters<typeof unmarshall>[0]);
    const arn = String(p).slice(String(p).indexOf('#') + 1);
    expect({ p, s }).toEqual(principalKey(arn));
    expect(principalRecordSchema.parse({ ...item, arn })).toEqual({ ...item, arn });
  });

  it('names the states that are told on the bus, and no other', () => {
    const told = TERMINAL_STATES.filter((state) => toldOf(rowOf({ state }), undefined).event);
    const named = [...page.matchAll(/^\| `task\.(\w+)` \|/gm)].map(([, state = '']) => state);
    expect(named.toSorted()).toEqual([...told, 'late_success'].toSorted());
  });
});

describe('docs/concepts.md', () => {
  it('has every state that callers see, and no other', () => {
    const [, part = ''] = /^## What states does a task have\?\n([^]*?)^## /m.exec(textOf('docs/concepts.md')) ?? [];
    expect([...part.matchAll(/^\| `(\w+)` \|/gm)].map(([, state]) => state).toSorted()).toEqual(TASK_VIEW_STATES.toSorted());
  });
});

describe('packages/client/README.md', () => {
  const rows = [...textOf('packages/client/README.md').matchAll(/^\| (`[^|]*\(?.*) \|/gm)].map(([, row = '']) => row);
  const client = new SluiceClient({ baseUrl: 'http://127.0.0.1', token: 'none' });
  const methodsOf = (object: object): string[] =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor');
  const groups = Object.entries(client) as [string, object][];

  it.each([['', methodsOf(client)], ...groups.map(([group, of]) => [`${group}.`, methodsOf(of)] as const)] as const)(
    'has each call of the client in its table: %s%s',
    (group, methods) => {
      const own = rows.filter((row) => (group === '' ? /^`\w+\(/.test(row) : row.startsWith(`\`${group}`)));
      expect(methods.length).toBeGreaterThan(0);
      expect(methods.filter((method) => !own.some((row) => new RegExp(`[\`.]${method}[(\`]`).test(row)))).toEqual([]);
    },
  );
});

describe('a link', () => {
  it.each(PAGES)('of %s leads somewhere', (from) => {
    const links = [...textOf(from).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^https?:/.test(link));
    expect(links.filter((link) => !leads(from, link))).toEqual([]);
  });
});

function leads(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : join(dirname(from), path);
  // Of a package its own folder alone is published.
  if (from.startsWith('packages/') && !target.startsWith(`${dirname(from)}/`)) return false;
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(target).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

import { END_REASONS, ERROR_CODES, type ErrorCode } from '@sluice/contracts';
import * as client from '@sluice/client';
import * as kit from '@sluice/handler';
import { describe, expect, it } from 'vitest';
import type { HostErrorCode } from '../../local/errors.ts';
import { textOf } from './pages.ts';

const page = textOf('docs/errors.md');

/** The names that a part of the page has sections for, with their text. */
function sectionsOf(title: string): Map<string, string> {
  const [, part = ''] = new RegExp(`^## ${title}\\n([^]*?)(?=^## |(?![^]))`, 'm').exec(page) ?? [];
  return new Map([...part.matchAll(/^### `(\w+)`\n([^]*?)(?=^### |(?![^]))/gm)].map(([, name = '', text = '']) => [name, text.trim()]));
}

/** The rows of the tables of a part, head and all, up to the next heading of its level. */
function rowsOf(title: string): readonly (readonly string[])[] {
  const [, level = '', part = ''] = new RegExp(`^(##+) ${title}\\n([^]*)`, 'm').exec(page) ?? [];
  const [own = ''] = part.split(new RegExp(`^#{2,${level.length}} `, 'm'));
  return [...own.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | ').map((cell) => cell.replaceAll('`', '').trim()));
}

function errorsOf(module: object): string[] {
  return Object.entries(module).flatMap(([name, value]) => (isErrorClass(value) ? [name] : []));
}

function isErrorClass(value: unknown): boolean {
  return typeof value === 'function' && value.prototype instanceof Error;
}

/** A type has no values: this list is complete, or it would not compile. */
const HOST_CODES: Record<HostErrorCode, true> = {
  ASSEMBLY_NOT_FOUND: true,
  INVALID_ASSEMBLY: true,
  INVALID_TEMPLATE: true,
  UNSUPPORTED_RESOURCE: true,
  UNSUPPORTED_INTRINSIC: true,
  UNSUPPORTED_PROPERTY: true,
  PORT_IN_USE: true,
  DATA_IN_USE: true,
  SERVER_FAILED: true,
  CUSTOM_RESOURCE_FAILED: true,
  BAD_TIME: true,
  INVALID_SCHEDULE: true,
  SYNTH_FAILED: true,
};

describe('docs/errors.md has a section for', () => {
  it.each([
    ['every code of the API, and no other', 'Codes of the API', Object.keys(ERROR_CODES)],
    ['every code of the handler kit, and no other', 'Errors of the handler kit', Object.values(kit.ERROR_CODES)],
    ['every end reason, and no other', 'End reasons', END_REASONS],
    ['every code of the embedded host, and no other', 'Codes of the embedded host', Object.keys(HOST_CODES)],
    ['every kind of error of the client, and no other', 'Errors of the client', [...kinds().keys()]],
  ])('%s', (_, title, names) => {
    expect([...sectionsOf(title).keys()].toSorted()).toEqual([...names].toSorted());
  });

  it('no name in two places', () => {
    const names = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
    expect(names).not.toContain(undefined);
    expect([...page.matchAll(/^###/gm)]).toHaveLength(names.length);
  });
});

describe('docs/errors.md says', () => {
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('the status of %s, whether it is retryable, and what to do', (code) => {
    const { status, retryable } = ERROR_CODES[code];
    const text = sectionsOf('Codes of the API').get(code) ?? '';
    expect(text.startsWith(`${status}, ${retryable ? 'retryable' : 'not retryable'}. `)).toBe(true);
    expect(text).toMatch(/\b(Mend|Send|Put|Use|Give|Look|Deploy|Revoke|Submit|Come back|Repeat|Another tenant)\b/);
  });

  it('the class that the client has for each status', async () => {
    const [, , ...rows] = rowsOf('`ApiError`');
    const classes = errorsOf(client).filter((name) => client[name as 'ApiError'].prototype instanceof client.ApiError);
    expect(rows.map(([name]) => name).toSorted()).toEqual(classes.toSorted());
    for (const [name, status = ''] of rows) expect(await classOf(Number(status.slice(0, 3)))).toBe(name);
  });

  it.each([...kinds()])('the kind of %s', (name, kind) => {
    expect(sectionsOf('Errors of the client').get(name)).toMatch(new RegExp(`^\`kind: '${kind}'\`, `));
  });

  it('the code that the client gives an answer without one', () => {
    const [, , ...rows] = rowsOf('Answers without a code');
    expect(rows.length).toBeGreaterThan(5);
    for (const [status, , code] of rows) expect(new client.ApiError(Number(status), undefined).code).toBe(code);
  });

  it('all names that the kit gives', () => {
    const named = rowsOf('Errors of the handler kit').map(([name]) => name);
    const plain = errorsOf(kit).filter((name) => !('code' in new kit[name as 'FatalError']('')));
    expect(named).toEqual(expect.arrayContaining(plain));
    expect(named.filter((name) => /Error$/.test(name ?? ''))).toHaveLength(plain.length + 2);
    for (const [, code] of Object.entries(kit.ERROR_CODES)) {
      const name = errorsOf(kit).find((each) => (new kit[each as 'FatalError']('') as { code?: string }).code === code);
      expect(sectionsOf('Errors of the handler kit').get(code)).toMatch(new RegExp(`^\`${name}\`\\.`));
    }
  });
});

/** What a client throws, by name, and its kind. */
function kinds(): Map<string, string> {
  const task = { id: 'a', state: 'running' } as ConstructorParameters<typeof client.WaitTimeoutError>[0];
  const errors = [
    new client.ApiError(500, undefined),
    new client.ConnectionError(''),
    new client.SchemaMismatchError('', ''),
    new client.WaitTimeoutError(task, 1),
  ];
  return new Map(errors.map((error) => [error.name, error.kind]));
}

/** The class of the error that a call ends with when it is answered with a status and nothing else. */
async function classOf(status: number): Promise<string> {
  const fetch = async () => new Response('', { status });
  const sluice = new client.SluiceClient({ baseUrl: 'https://sluice.example', token: 't', retries: 0, fetch });
  return sluice.get('a').then(
    () => 'none',
    (error: Error) => error.name,
  );
}

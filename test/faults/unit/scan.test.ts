import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../local/support/harness.ts';
import type { Exercise } from '../exercises/exercise.ts';
import { kindsOf, kindsOfTurn, planRuns, type Recording } from '../plan.ts';
import { FAULT_KINDS } from '../proxy/kinds.ts';
import { nameOf, scan, type CallSite } from '../sites/scan.ts';
import { faultsOfCoverage, UNREACHABLE_SITES } from '../unreachable.ts';

/** A repository of one function, one use case and one adapter. */
const FILES: Record<string, string> = {
  'tsconfig.json':
    '{ "compilerOptions": { "strict": true, "module": "nodenext", "target": "es2024", "allowImportingTsExtensions": true, "noEmit": true } }',
  'package.json': '{ "type": "module" }',
  'core/ports/store.ts':
    'export interface Store { readonly get: (id: string) => Promise<string>; readonly put: (id: string) => Promise<void>; readonly url: () => string }',
  'core/ports/sums.ts': 'export interface Sums { readonly total: () => Promise<number> }',
  'core/use.ts': `
    import type { Sums } from './ports/sums.ts';
    import type { Store } from './ports/store.ts';
    export async function use({ store, sums }: { store: Store; sums: Sums }): Promise<void> {
      await store.get('a'); await twice(store); store.url(); await sums.total();
    }
    async function twice(store: Store): Promise<void> { await store.put('a'); await store.put('b'); }
    export async function unused(store: Store): Promise<void> { await store.put('c'); }`,
  'adapters/aws/store.ts': `
    import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
    import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
    import type { Store } from '../../core/ports/store.ts';
    export interface Counted { readonly count: () => Promise<number> }
    export function createStore(client: { send: (command: unknown) => Promise<string> }): Store & Counted {
      const read = (id: string) => client.send(new GetCommand({ id }));
      return {
        get: (id) => read(id),
        put: async (id) => { await read(id); await client.send(new PutCommand({ id })); },
        url: () => getSignedUrl(client, new GetCommand({})),
        count: async () => (await read('count')).length,
      };
    }`,
  'adapters/aws/sums.ts': `
    import type { Sums } from '../../core/ports/sums.ts';
    import type { Counted } from './store.ts';
    export function createSums(counted: Counted): Sums { return { total: () => counted.count() }; }`,
  'functions/worker/index.ts': `
    import { createStore } from '../../adapters/aws/store.ts';
    import { createSums } from '../../adapters/aws/sums.ts';
    import { use } from '../../core/use.ts';
    const store = createStore({ send: async () => '' });
    export const handler = () => use({ store, sums: createSums(store) });`,
  'functions/caller/index.ts': 'export const handler = async (url: string): Promise<void> => { await fetch(url); };',
};

const site = (port: string, command = 'adapters/aws/store put PutCommand', fn = 'worker'): CallSite => ({ fn, port, command });

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

describe('the scan for call sites', () => {
  let root = '';
  beforeAll(() => {
    root = temporaryFolder();
    write(root, FILES);
  });

  it('finds each call of a port that a function reaches, with each command that the adapter makes for it, or another for that', () => {
    const read = 'adapters/aws/store read GetCommand';
    expect(scan(root).sites.map(nameOf)).toEqual([
      'caller: functions/caller/index handler fetch > fetch',
      `worker: adapters/aws/sums total counted.count > ${read}`,
      `worker: core/use twice store.put #2 > ${'adapters/aws/store put PutCommand'}`,
      `worker: core/use twice store.put #2 > ${read}`,
      'worker: core/use twice store.put > adapters/aws/store put PutCommand',
      `worker: core/use twice store.put > ${read}`,
      `worker: core/use use store.get > ${read}`,
    ]);
  });

  it.each([
    ['calls whose maker is called for a part', 'const { put } = makeCalls(client); return { put: (id) => put(id), ...partOf(client) };'],
    ['a factory that has another make it all', 'return makeAll(client);'],
  ])('follows %s', (_, body) => {
    const folder = temporaryFolder();
    write(folder, {
      ...FILES,
      'core/use.ts': `
        import type { Store } from './ports/store.ts';
        export async function use({ store }: { store?: Store; sums: unknown }): Promise<void> { await store?.get('a'); await store?.put('b'); }`,
      'adapters/aws/store.ts': `
        import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
        import type { Store } from '../../core/ports/store.ts';
        interface Client { send: (command: unknown) => Promise<string> }
        export interface Counted { readonly count: () => Promise<number> }
        function makeCalls(client: Client) {
          const put = async (id: string): Promise<void> => { await client.send(new PutCommand({ id })); };
          const other = async (): Promise<void> => { await client.send(new GetCommand({ id: 'other' })); };
          return { put, other };
        }
        function partOf(client: Client) { return { get: (id: string) => client.send(new GetCommand({ id })) , url: () => '' }; }
        function makeAll(client: Client) { return { ...makeCalls(client), ...partOf(client) }; }
        export function createStore(client: Client): Store { ${body} }`,
      'functions/worker/index.ts': `
        import { createStore } from '../../adapters/aws/store.ts';
        import { use } from '../../core/use.ts';
        const store = createStore({ send: async () => '' });
        export const handler = () => use({ store, sums: undefined });`,
      'adapters/aws/sums.ts': 'export {};',
    });
    expect(scan(folder).sites.map(nameOf)).toEqual([
      'caller: functions/caller/index handler fetch > fetch',
      `worker: core/use use store.get > adapters/aws/store get GetCommand`,
      `worker: core/use use store.put > adapters/aws/store put PutCommand`,
    ]);
  });

  it.each([
    ['a method that is taken off its port', 'const { get } = store; await get("a");', /is to be called on it: get/],
    ['a method that is handed on', 'await [1].map(store.get as never);', /is to be called on it: store.get/],
  ])('refuses %s, whose calls it could not find', (_, body, expected) => {
    const folder = temporaryFolder();
    const use = `import type { Store } from './ports/store.ts';
      export async function use({ store }: { store: Store; sums: unknown }): Promise<void> { ${body} }`;
    write(folder, { ...FILES, 'core/use.ts': use });
    expect(() => scan(folder)).toThrow(expected);
  });

  it('refuses commands that are made past the ports', () => {
    const folder = temporaryFolder();
    const index = `import { PutCommand } from '@aws-sdk/lib-dynamodb'; export const handler = () => new PutCommand({});`;
    write(folder, { ...FILES, 'functions/worker/index.ts': index });
    expect(() => scan(folder)).toThrow(/comes to functions\/worker\/index handler PutCommand past the ports/);
  });

  it('finds a call that is new', () => {
    const before = scan(root).sites.length;
    writeFileSync(
      join(root, 'functions/worker/index.ts'),
      `${FILES['functions/worker/index.ts']}\nimport { unused } from '../../core/use.ts';\nexport const more = unused;`,
    );
    expect(scan(root).sites.length).toBe(before + 2);
  });
});

describe('the list of call sites', () => {
  const [outOfReach = ''] = [...UNREACHABLE_SITES.keys()];
  const known = [...UNREACHABLE_SITES.keys()].map((name): CallSite => {
    const [, fn = '', port = '', command = ''] = /^(\w+): (.*) > (.*)$/.exec(name) ?? [];
    return { fn, port, command };
  });

  it('is right when every site was seen or is said to be out of reach', () => {
    const seen = site('core/use use store.get');
    expect(faultsOfCoverage([seen, ...known], new Set([nameOf(seen)]))).toEqual([]);
  });

  it.each([
    ['a site that no exercise came to', [site('new'), ...known], [], /^no exercise came to worker: new/],
    ['a site that was seen though it is said to be out of reach', known, [outOfReach], /^said to be out of reach, but seen/],
    ['a call that the scan does not know', known, ['worker: other > GetCommand'], /^seen, but not found in the sources/],
    ['an entry for a site that is no more', known.slice(1), [], /^said to be out of reach, but not in the sources/],
  ] as const)('names %s', (_, sites, seen, expected) => {
    expect(faultsOfCoverage(sites, new Set<string>(seen))).toEqual([expect.stringMatching(expected)]);
  });
});

describe('the plan', () => {
  const exercise = (name: string, over: Partial<Exercise> = {}): Exercise => ({ name, run: async () => undefined, ...over });
  const recording = (of: Exercise, named: Record<string, number>, over: Partial<Recording> = {}): Recording => ({
    exercise: of,
    named: new Map(Object.entries(named)),
    nameless: new Map(),
    ownFaults: [],
    ...over,
  });
  const get = site('get');
  const name = nameOf(get);

  it('has a run for each kind at each site, in turns by each exercise and call that comes to it', () => {
    const runs = planRuns([get], [recording(exercise('a'), { [name]: 2 }), recording(exercise('b'), { [name]: 1 })], {
      kinds: FAULT_KINDS,
      everyPlace: false,
    });
    expect(runs.map(({ kind }) => kind)).toEqual(FAULT_KINDS);
    expect(runs.slice(0, 4).map(({ place }) => [place.exercise.name, place.nth])).toEqual([
      ['a', 1],
      ['a', 2],
      ['b', 1],
      ['a', 1],
    ]);
  });

  it('has every one of them when it is to be thorough', () => {
    const runs = planRuns([get], [recording(exercise('a'), { [name]: 2 }), recording(exercise('b'), { [name]: 1 })], {
      kinds: FAULT_KINDS,
      everyPlace: true,
    });
    expect(runs.length).toBe(3 * FAULT_KINDS.length);
  });

  it('has the same three kinds at each site where none are asked for, and the others in turns', () => {
    const sites = Array.from({ length: 6 }, (_, n) => kindsOf(n));
    for (const kinds of sites) expect(kinds.slice(0, 3)).toEqual(['fail', 'unanswered', 'kill-after']);
    expect(new Set(sites.flat())).toEqual(new Set(FAULT_KINDS));
    expect(sites.every((kinds) => kinds.length === 4)).toBe(true);
  });

  it('has one kind at each site in a sample, other ones in each turn, and a kill of each function', () => {
    const sites = ['a', 'a', 'a', 'b'].map((fn) => ({ fn }));
    const turns = FAULT_KINDS.map((_, turn) => kindsOfTurn(sites, turn));
    for (const [n] of sites.entries()) expect(new Set(turns.map((of) => of[n]?.[0]))).toEqual(new Set(FAULT_KINDS));
    for (const of of turns) {
      for (const fn of ['a', 'b']) {
        const own = of.filter((_, n) => sites[n]?.fn === fn).flat();
        expect(own.some((kind) => kind.startsWith('kill'))).toBe(true);
      }
      expect(of.flat().length).toBeLessThanOrEqual(sites.length + 2);
    }
  });

  it('plans a sample over the sites that are reached', () => {
    const runs = planRuns([site('out of reach'), get], [recording(exercise('a'), { [name]: 1 })], { everyPlace: false, turn: 0 });
    expect(runs.map(({ site: { port }, kind }) => [port, kind])).toEqual([
      ['get', 'fail'],
      ['get', 'kill-after'],
    ]);
  });

  it('leaves out what makes a fault of its own there, and what takes long where others do', () => {
    const own = recording(exercise('own'), { [name]: 1 }, { ownFaults: [name] });
    const slow = recording(exercise('slow', { slow: true }), { [name]: 1 });
    const runs = planRuns([get], [own, slow, recording(exercise('quick'), { [name]: 1 })], { kinds: FAULT_KINDS, everyPlace: false });
    expect(new Set(runs.map(({ place }) => place.exercise.name))).toEqual(new Set(['quick']));
  });

  it('takes calls that name nobody only where there are no others, or by the function that makes them on its own', () => {
    const nameless = recording(exercise('tick', { ticks: ['worker'] }), {}, { nameless: new Map([[name, 4]]) });
    expect(planRuns([get], [nameless], { kinds: FAULT_KINDS, everyPlace: false })[0]?.place).toMatchObject({ nth: 1, nameless: true });
    const runs = planRuns([get], [recording(exercise('named'), { [name]: 1 }), nameless], { kinds: FAULT_KINDS, everyPlace: false });
    expect(new Set(runs.map(({ place }) => place.exercise.name))).toEqual(new Set(['tick']));
  });
});

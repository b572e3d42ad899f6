import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import { ENV_SCHEMAS } from '@sluice/contracts';
import { startMailServer, type MailServer } from '../examples/demo/mail-server.ts';
import { TENANTS, writeTokens } from '../examples/demo/tokens.ts';
import { startHost, type Host, type HostLogEntry } from '../local/host.ts';
import { checkPort } from '../local/servers/listen.ts';
import { takeDataFolder } from '../local/state.ts';
import { localContext } from '../local/synth.ts';
import { Synthesiser } from '../local/synth/synthesiser.ts';
import { createClockRoute } from './dev/clock-route.ts';
import { allowLongPauses, debugOptions } from './dev/debugging.ts';
import { createLogFormat } from './dev/log-format.ts';
import { readOptions, type DevOptions } from './dev/options.ts';
import { Problems } from './dev/problems.ts';
import { watchSources } from './dev/sources.ts';
import { answerStatusPage } from './dev/status-page.ts';
import { StatusReader } from './dev/status.ts';
import { travelTo } from './dev/time-travel.ts';

const USAGE = `Runs the platform on this machine, with the example task types, until Ctrl-C.

  npm run dev -- [--port 4700] [--data DIR] [--tokens FILE] [--inspect[=platform]] [--no-watch] [--verbose]

  --port      where the API and the status page listen on 127.0.0.1; 0 takes any free port
  --data      keeps everything in this folder over a restart; without it it is in memory
  --tokens    where the tenants' tokens are written, .sluice/tokens.json without it
  --inspect   opens a Node.js inspector in each environment of a task handler, and enforces no time-out;
              --inspect=platform opens one in the platform's own functions too
  --no-watch  deploys nothing anew when a source file changes
  --verbose   shows each call and each run of a function, and all that the platform's functions say`;

const ROOT = resolve(import.meta.dirname, '..');
/** What a change of which is deployed anew. */
const WATCHED = ['bin', 'lib', 'functions', 'core', 'adapters', 'packages', 'examples'];
/** The name that the app gives the platform unless its context says another. */
const PLATFORM = 'sluice';
const PLATFORM_FUNCTIONS = new Set(Object.keys(ENV_SCHEMAS).map((name) => `${PLATFORM}-${name}`));
/** Milliseconds that an idle environment with a debugger stays: longer than anybody looks at it. */
const DEBUG_IDLE_MS = 86_400_000;

const options = optionsOrExit();
const isPlatform = (name: string): boolean => PLATFORM_FUNCTIONS.has(name);
const debug = debugOptions(options.inspect, process.env, isPlatform);
const problems = new Problems(titleOf);
const format = createLogFormat({
  verbose: options.verbose,
  colour: styleText('red', '.', { stream: process.stdout }) !== '.',
  isPlatform,
  titleOf,
});

let scratch: string | undefined;
let synthesiser: Synthesiser | undefined;
let mail: MailServer | undefined;
let synthesised = 0;
let host: Host | undefined;
let status: StatusReader | undefined;
const clockRoute = createClockRoute({
  now: () => host?.now() ?? Date.now(),
  travelTo: (to) => (host === undefined ? Promise.reject(new Error('it starts')) : travelTo(host, to)),
});
const stop = async (code: number): Promise<never> => {
  synthesiser?.close();
  await host?.close();
  await mail?.close();
  if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  process.exit(code);
};
process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));

try {
  if (options.port !== 0) await checkPort(options.port);
  if (options.data !== undefined) takeDataFolder(options.data);
  scratch = await makeScratch();
  mail = await startMailServer();
  // With the data bundles are kept too: the next start finds them.
  const cacheDirectory = join(options.data ?? scratch, 'bundles');
  synthesiser = new Synthesiser({ root: ROOT, context: { ...localContext(), smtpUrl: mail.url }, cacheDirectory });
  console.log('synthesising the app …');
  host = await start(await synth());
  const tokens = await writeTokens(host, options.tokens);
  status = new StatusReader({
    host,
    version: versionOf(),
    data: options.data,
    tenants: TENANTS,
    isPlatform,
    problems: () => problems.list(),
  });
  console.log(`tokens of ${Object.keys(tokens).join(', ')} are in ${relative('', options.tokens)}; mail goes to ${mail.url}`);
  const bucket = host.outputs['ExamplesBucket'];
  if (bucket !== undefined) console.log(`files of the examples go to ${host.endpoints.s3}/${bucket}`);
  const running = host;
  if (options.watch) watchSources(ROOT, WATCHED, () => deploy(running));
  console.log(`ready ${host.url}`);
} catch (error) {
  console.error(messageOf(error));
  await stop(1);
}

/** A folder for what is synthesised; one beside the data replaces what a killed process has left there. */
async function makeScratch(): Promise<string> {
  const folder = options.data === undefined ? await mkdtemp(join(tmpdir(), 'sluice-dev-')) : join(options.data, 'build');
  if (options.data !== undefined) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Source maps lead from the bundles to the sources by a relative way, which begins at the real path.
  return realpath(folder);
}

async function synth(): Promise<string> {
  const out = join(scratch ?? '', `cdk.out.${++synthesised}`);
  await synthesiser?.synthesise(out);
  if (debug !== undefined) allowLongPauses(out);
  return out;
}

function start(assembly: string): Promise<Host> {
  return startHost({
    assembly,
    port: options.port,
    onLog: print,
    logCalls: options.verbose,
    env: (name) => (isPlatform(name) ? { POWERTOOLS_LOG_LEVEL: 'DEBUG' } : {}),
    fallback: async (request) =>
      (await clockRoute(request)) ??
      answerStatusPage(request, () => (status === undefined ? Promise.reject(new Error('it starts')) : status.read())),
    ...(debug !== undefined && { debug, idleMs: DEBUG_IDLE_MS }),
    ...(options.data !== undefined && { dataDir: options.data }),
  });
}

async function deploy(running: Host): Promise<void> {
  const began = performance.now();
  try {
    const swapped = await running.reload(await synth());
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(swapped.length > 0 ? `reloaded ${swapped.map(titleOf).join(', ')} in ${seconds} s` : 'no function has changed');
  } catch (error) {
    // The old code goes on serving.
    console.error(messageOf(error));
  }
}

function print(entry: HostLogEntry): void {
  problems.note(entry);
  for (const line of format(entry)) console.log(line);
}

/** What people know a function by; before the host is there, its name. */
function titleOf(name: string): string {
  return host?.functions().find((fn) => fn.name === name)?.title ?? name;
}

function versionOf(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function optionsOrExit(): DevOptions {
  try {
    const read = readOptions(process.argv.slice(2), ROOT);
    if (read !== 'help') return read;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

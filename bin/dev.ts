import { watch } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startMailServer } from '../examples/demo/mail-server.ts';
import { writeTokens } from '../examples/demo/tokens.ts';
import { startHost, type Host, type HostLogEntry } from '../local/host.ts';
import { localContext, synthesise } from '../local/synth.ts';

const USAGE = `Runs the platform on this machine, with the example task types, until Ctrl-C.

  npm run dev -- [--port 4700] [--data DIR] [--verbose]

  --port     where the API listens on 127.0.0.1
  --data     keeps tables, queues and buckets in this folder; without it they are in memory
  --verbose  shows every log line, not only warnings and what handlers print`;

const ROOT = resolve(import.meta.dirname, '..');
/** What a change of which is deployed anew. */
const WATCHED = ['bin', 'lib', 'functions', 'core', 'adapters', 'packages', 'examples'];
/** Milliseconds without another change, so that a save of many files is one deployment. */
const QUIET_MS = 200;

const options = readOptions();
const scratch = await mkdtemp(join(tmpdir(), 'sluice-dev-'));
const mail = await startMailServer();
const context = { ...localContext(), smtpUrl: mail.url };

let synthesised = 0;
async function synth(): Promise<string> {
  const out = join(scratch, `cdk.out.${++synthesised}`);
  await synthesise({ root: ROOT, out, context });
  return out;
}

let host: Host | undefined;
const stop = async (code: number): Promise<never> => {
  await host?.close();
  await mail.close();
  await rm(scratch, { recursive: true, force: true });
  process.exit(code);
};
process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));

try {
  console.log('synthesising the app …');
  const assembly = await synth();
  if (options.data) await mkdir(options.data, { recursive: true });
  host = await startHost({ assembly, port: options.port, onLog: print, ...(options.data && { dataDir: resolve(options.data) }) });
  const tokens = await writeTokens(host, join(ROOT, '.sluice', 'tokens.json'));
  console.log(`tokens of ${Object.keys(tokens).join(', ')} are in .sluice/tokens.json; mail goes to ${mail.url}`);
  watchSources(host);
  console.log(`ready ${host.url}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}

function watchSources(running: Host): void {
  let timer: NodeJS.Timeout | undefined;
  let busy = Promise.resolve();
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = busy.then(() => deploy(running));
    }, QUIET_MS);
  };
  for (const folder of WATCHED) {
    watch(join(ROOT, folder), { recursive: true }, (_event, file) => {
      if (file && /\.(ts|py|mjs|json)$/.test(file) && !file.includes('node_modules')) changed();
    });
  }
}

async function deploy(running: Host): Promise<void> {
  try {
    const swapped = await running.reload(await synth());
    console.log(swapped.length > 0 ? `reloaded ${swapped.join(', ')}` : 'no function has changed');
  } catch (error) {
    // The old code goes on serving.
    console.error(error instanceof Error ? error.message : error);
  }
}

function print(entry: HostLogEntry): void {
  if (!options.verbose && entry.level === 'info' && entry.functionName?.startsWith('sluice-')) return;
  const time = new Date(entry.time).toISOString().slice(11, 23);
  console.log(`${time} ${entry.level.padEnd(5)} ${entry.functionName ?? entry.source} ${entry.message}`);
}

function readOptions(): { port: number; data: string | undefined; verbose: boolean } {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string' }, data: { type: 'string' }, verbose: { type: 'boolean' }, help: { type: 'boolean' } },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const port = Number(values.port ?? 4700);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port is "${values.port}"; give a number from 0 to 65535`);
    return { port, data: values.data, verbose: values.verbose ?? false };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

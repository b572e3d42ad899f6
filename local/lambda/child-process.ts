import { spawn, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  MAX_OUTPUT_BYTES,
  MAX_SYNC_BYTES,
  type RuntimeEnd,
  type RuntimeEvents,
  type RuntimeMessage,
  type RuntimeOptions,
  type RuntimeProcess,
} from './runtime-process.ts';

const NODE_SCRIPT = fileURLToPath(new URL('./node-runtime.mjs', import.meta.url));
const PYTHON_SCRIPT = fileURLToPath(new URL('./python_runtime.py', import.meta.url));

/** How often the memory of a process that runs a request is looked at, in milliseconds. */
const MEMORY_CHECK_MS = 250;

/** Memory that a process may hold above the function's own before it is ended: the runtime's, and garbage. */
const MEMORY_SLACK_MB = 64;

/** Heap in MB that a process with a debugger gets above the function's memory: what is looked at stays alive. */
const DEBUG_HEAP_MB = 512;

/** What V8 prints before it aborts. */
const HEAP_EXHAUSTED = 'JavaScript heap out of memory';

/** What Node.js prints of its inspector; the host tells its address itself. */
const INSPECTOR_NOTES =
  /^(?:Debugger (?:listening on|attached|ending on)|For help, see: https:\/\/nodejs|Waiting for the debugger to disconnect|Starting inspector on).*\n?/gm;

/**
 * Runs a function's code in a child process: requests go in as JSON lines on fd 3, answers come back on fd 4.
 *
 * A process and not a worker thread, because a thread that V8 cannot interrupt (a loop of calls to builtins) can not
 * be terminated and takes the whole host along when its heap is full, because threads share one pool of four for
 * files and native code, and because a process starts sooner (28 ms against 40 ms) and shares its memory (10 MB).
 */
export function startChildProcess(options: RuntimeOptions, events: RuntimeEvents): RuntimeProcess {
  const { command, args } = commandOf(options);
  const child = spawn(command, args, spawnOptions(options));
  const requests = child.stdio[3] as Writable;
  const answers = child.stdio[4] as Readable;
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let killed = false;
  let ended = false;
  let outOfMemory = false;
  let watch: NodeJS.Timeout | undefined;

  const end = (how: RuntimeEnd): void => {
    clearInterval(watch);
    if (killed || ended) return;
    ended = true;
    events.end(outOfMemory ? { reason: 'memory' } : how);
  };
  const kill = (): void => {
    if (child.pid !== undefined) child.kill('SIGKILL');
  };

  createInterface({ input: answers, crlfDelay: Infinity }).on('line', (line) => {
    if (killed) return;
    const message = JSON.parse(line) as RuntimeMessage | OutputMessage;
    if (message.type === 'output') return events.output(message.stream, message.text);
    if (message.type !== 'inspector') clearInterval(watch);
    events.message(message);
  });
  // A dead child breaks the pipe; its end is reported by `close`.
  requests.on('error', () => undefined);
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk: Buffer) => {
      const printed = chunk.toString('utf8');
      if (printed.includes(HEAP_EXHAUSTED)) outOfMemory = true;
      const text = options.debug === undefined ? printed : printed.replace(INSPECTOR_NOTES, '');
      if (!killed && text !== '') events.output(stream, text);
    });
  }
  child.on('error', (error) => end({ reason: 'failure', message: `${command} did not start: ${error.message}` }));
  child.on('close', (status, signal) => {
    end(signal === null ? { reason: 'exit', status: status ?? 0 } : { reason: 'signal', signal });
  });

  return {
    send(request) {
      requests.write(`${oneLine(JSON.stringify(request))}\n`);
      clearInterval(watch);
      if (options.debug !== undefined) return;
      watch = setInterval(() => {
        if (privateMegabytes(child.pid) <= options.memoryMb + MEMORY_SLACK_MB) return;
        outOfMemory = true;
        kill();
      }, MEMORY_CHECK_MS);
    },
    setClock(offsetMs) {
      if (!options.runtime.startsWith('python')) requests.write(`${JSON.stringify({ type: 'clock', offsetMs })}\n`);
    },
    memoryMb: () => privateMegabytes(child.pid),
    async kill() {
      killed = true;
      clearInterval(watch);
      if (child.pid === undefined) return;
      kill();
      await exited;
    },
  };
}

/** `readline` also ends a line at these two, which JSON takes as they are. */
function oneLine(json: string): string {
  return json.replace(/[\u2028\u2029]/g, (character) => (character === '\u2028' ? '\\u2028' : '\\u2029'));
}

/** What a Node.js runtime sends for each write to its output, in order with its answers. */
interface OutputMessage {
  type: 'output';
  stream: 'stdout' | 'stderr';
  text: string;
}

function commandOf({ runtime, memoryMb, debug }: RuntimeOptions): { command: string; args: string[] } {
  if (runtime.startsWith('python')) return { command: 'python3', args: ['-u', PYTHON_SCRIPT] };
  const heapMb = debug === undefined ? memoryMb : memoryMb + DEBUG_HEAP_MB;
  return { command: process.execPath, args: [`--max-old-space-size=${heapMb}`, '--enable-source-maps', NODE_SCRIPT] };
}

function spawnOptions(options: RuntimeOptions): SpawnOptions {
  return {
    cwd: options.codeDirectory,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    env: {
      ...options.environment,
      PYTHONDONTWRITEBYTECODE: '1',
      _HOST_RUNTIME_OPTIONS: JSON.stringify({
        ...options,
        environment: {},
        maxResponseBytes: MAX_SYNC_BYTES,
        maxOutputBytes: MAX_OUTPUT_BYTES,
      }),
    },
    // A group of its own, so that Ctrl-C in the terminal reaches the host only, which then ends its children.
    detached: true,
  };
}

/** Memory that only this process holds; 0 where the system does not tell (anything but Linux). */
function privateMegabytes(pid: number | undefined): number {
  try {
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
    return ((resident - shared) * 4096) / 1024 / 1024;
  } catch {
    return 0;
  }
}

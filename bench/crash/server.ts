import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../..');

export interface ServerOptions {
  readonly port: number;
  readonly data: string;
  readonly tokens: string;
  /** Told each line that the server prints. */
  readonly onLine: (line: string) => void;
}

/** The dev server in a process of its own, which is killed as a machine that loses its power would. */
export class Server {
  private readonly options: ServerOptions;
  private child: ChildProcess | undefined;

  constructor(options: ServerOptions) {
    this.options = options;
  }

  /** Resolves when it is ready. @throws Error with what it printed, when it ends before */
  async start(): Promise<void> {
    const { port, data, tokens, onLine } = this.options;
    const args = ['bin/dev.ts', '--port', String(port), '--data', data, '--tokens', tokens, '--no-watch'];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    this.child = child;
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (status) => reject(new Error(`the server ended with ${status}:\n${printed.slice(-4000)}`)));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          if (line.startsWith('ready ')) resolve();
          printed = `${printed}${line}\n`.slice(-4000);
          onLine(line);
        });
      }
    });
  }

  /** Kills the server and every process that it started, the server first: none of them sees another one end. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    for (const pid of [child.pid, ...descendantsOf(child.pid)]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    await gone;
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
}

/** Environments of functions are in process groups of their own, so that they are found by their parents. */
function descendantsOf(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const rows = table.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: number[] = [];
  for (let parents = new Set([pid]); parents.size > 0;) {
    const children = rows.filter(([, parent]) => parents.has(parent)).map(([child]) => child);
    found.push(...children);
    parents = new Set(children);
  }
  return found;
}

/** A port that is free now, and that every start takes again, since a client knows one address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  return address.port;
}

import { fork, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HostError } from '../errors.ts';

export interface SynthRequest {
  /** The file that `cdk.json` starts. */
  readonly app: string;
  /** Where the cloud assembly goes. */
  readonly out: string;
  readonly context: Readonly<Record<string, unknown>>;
}

export interface SynthAnswer {
  readonly ok: boolean;
  /** What went wrong. */
  readonly message?: string;
  /** It shall not be asked again. */
  readonly worn?: boolean;
}

export interface SynthesiserOptions {
  /** The folder of the CDK app: where `cdk.json` is. */
  readonly root: string;
  /** On top of the context in `cdk.json`. */
  readonly context?: Readonly<Record<string, string>>;
  /** A folder for bundles that can be used again. */
  readonly cacheDirectory: string;
}

/** Output of the app that an error tells, in characters. */
const MAX_OUTPUT = 4000;

/**
 * Synthesises an app again and again, in a process that stays: CDK is loaded once, and only what has changed is bundled
 * anew. That takes a tenth of the time of a new process.
 */
export class Synthesiser {
  private readonly options: SynthesiserOptions;
  private child: ChildProcess | undefined;
  private printed = '';

  constructor(options: SynthesiserOptions) {
    this.options = options;
  }

  /** @throws HostError `SYNTH_FAILED` with what the app said */
  async synthesise(out: string): Promise<void> {
    const { root, context } = this.options;
    const config = JSON.parse(await readFile(join(root, 'cdk.json'), 'utf8')) as { app: string; context?: Record<string, unknown> };
    const [program, file, ...rest] = config.app.split(' ');
    if (program !== 'node' || file === undefined || rest.length > 0) {
      throw new HostError('SYNTH_FAILED', `the app of cdk.json is "${config.app}"; only "node <file>" can be synthesised here`);
    }
    const answer = await this.ask({ app: resolve(root, file), out, context: { ...config.context, ...context } });
    if (answer.worn === true) this.close();
    if (answer.ok) return;
    const said = [answer.message, this.printed.trim()].filter((text) => text !== undefined && text !== '').join('\n');
    throw new HostError('SYNTH_FAILED', `the app could not be synthesised:\n${said.slice(0, MAX_OUTPUT)}`);
  }

  close(): void {
    this.child?.kill();
    this.child = undefined;
  }

  private ask(request: SynthRequest): Promise<SynthAnswer> {
    const child = (this.child ??= this.start());
    this.printed = '';
    return new Promise((settle) => {
      const done = (answer: SynthAnswer): void => {
        hold(child, false);
        child.off('message', done).off('exit', ended).off('error', failed);
        settle(answer);
      };
      const ended = (): void => {
        this.child = undefined;
        done({ ok: false });
      };
      const failed = (error: Error): void => done({ ok: false, message: error.message });
      child.on('message', done).on('exit', ended).on('error', failed);
      hold(child, true);
      child.send(request);
    });
  }

  private start(): ChildProcess {
    const { root, cacheDirectory } = this.options;
    const env: NodeJS.ProcessEnv = { ...process.env, CDK_VALIDATION: 'false' };
    // A debugger that follows every child process is not meant for this one.
    delete env['NODE_OPTIONS'];
    const script = fileURLToPath(new URL('./process.ts', import.meta.url));
    const child = fork(script, [resolve(root), cacheDirectory], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.printed = `${this.printed}${chunk.toString()}`.slice(-MAX_OUTPUT)));
    }
    return child;
  }
}

/** Whether it keeps the process that started it from ending. */
function hold(child: ChildProcess, held: boolean): void {
  for (const one of [child, child.channel, child.stdout, child.stderr] as (Holdable | null | undefined)[]) {
    if (held) one?.ref?.();
    else one?.unref?.();
  }
}

interface Holdable {
  ref?(): void;
  unref?(): void;
}

import { availableParallelism } from 'node:os';
import type { Environment, RunReport, RunResult } from './environment.ts';
import { processorsAreBusy } from './processors.ts';
import type { RuntimeRequest } from './runtime-process.ts';

/** Lets a bounded number of cold starts load code at once: more would only make each of them slower. */
export class ColdStartGate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(width: number) {
    this.free = width;
  }

  enter(start: () => void): void {
    if (this.free > 0) {
      this.free -= 1;
      start();
    } else {
      this.waiting.push(start);
    }
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}

/** How often idle environments are looked at, in milliseconds. */
const REAP_INTERVAL_MS = 5000;

/**
 * So many environments of a function are enough while the machine's processors are busy and one of them comes free every
 * so many milliseconds: another process would only take from those that run.
 */
const ENOUGH_WHEN_BUSY = Math.max(4, 2 * availableParallelism());
const PATIENCE_MS = 1_000;

/** How often those that wait look again, in milliseconds. */
const LOOK_AGAIN_MS = 250;

interface Waiter {
  served: boolean;
  take(environment: Environment): void;
}

/** The environments of one function: warm ones are used again, the most recent first, and idle ones end. */
export class EnvironmentPool {
  private readonly create: () => Environment;
  private readonly gate: ColdStartGate;
  private readonly idleMs: number;
  private readonly all = new Set<Environment>();
  private readonly idle: { environment: Environment; since: number }[] = [];
  private readonly waiters: Waiter[] = [];
  private reaper: NodeJS.Timeout | undefined;
  private patience: NodeJS.Timeout | undefined;
  private releasedAt = 0;
  private generation = 0;

  constructor(create: () => Environment, gate: ColdStartGate, idleMs: number) {
    this.create = create;
    this.gate = gate;
    this.idleMs = idleMs;
  }

  async run(request: RuntimeRequest): Promise<RunResult & { report: RunReport }> {
    const environment = this.takeIdle() ?? (await this.waitForOne());
    const result = await environment.run(request);
    this.release(environment);
    return result;
  }

  /** Environments that run or start, those that wait for work, and the addresses of their inspectors. */
  state(): { busy: number; idle: number; inspectors: string[] } {
    const alive = [...this.all].filter((environment) => environment.alive);
    const idle = this.idle.filter(({ environment }) => environment.alive).length;
    return { busy: alive.length - idle, idle, inspectors: alive.flatMap(({ inspectorUrl }) => inspectorUrl ?? []) };
  }

  /** Environments of another generation end once they are idle; running ones finish. */
  useGeneration(generation: number): void {
    this.generation = generation;
    for (const { environment } of this.idle.splice(0)) this.release(environment);
  }

  setClock(offsetMs: number): void {
    for (const environment of this.all) environment.setClock(offsetMs);
  }

  async close(): Promise<void> {
    clearInterval(this.reaper);
    this.reaper = undefined;
    this.stopWaiting();
    await Promise.all([...this.all].map((environment) => environment.destroy()));
    this.all.clear();
    this.idle.length = 0;
  }

  private takeIdle(): Environment | undefined {
    for (;;) {
      const candidate = this.idle.pop()?.environment;
      if (candidate === undefined || candidate.alive) return candidate;
      this.all.delete(candidate);
    }
  }

  /** A new environment when the gate opens, or one that another request gives back before that. */
  private waitForOne(): Promise<Environment> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        served: false,
        take: (environment) => {
          waiter.served = true;
          resolve(environment);
        },
      };
      this.waiters.push(waiter);
      this.startFor(waiter);
    });
  }

  private startFor(waiter: Waiter, impatient = false): void {
    this.gate.enter(() => {
      if (waiter.served) return this.gate.leave();
      if (!impatient && this.all.size >= ENOUGH_WHEN_BUSY && processorsAreBusy()) {
        this.beginToWait();
        return this.gate.leave();
      }
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      const environment = this.create();
      this.all.add(environment);
      void environment.whenStarted().then(() => this.gate.leave());
      waiter.take(environment);
    });
  }

  /** Looks again and again whether those that wait should rather start environments: all at once would be too many. */
  private beginToWait(): void {
    this.patience ??= setInterval(() => {
      const impatient = performance.now() - this.releasedAt > PATIENCE_MS;
      for (const waiter of this.waiters.slice(0, this.all.size)) this.startFor(waiter, impatient);
    }, LOOK_AGAIN_MS);
  }

  private stopWaiting(): void {
    clearInterval(this.patience);
    this.patience = undefined;
  }

  private release(environment: Environment): void {
    if (!environment.alive || environment.generation !== this.generation) {
      this.all.delete(environment);
      void environment.destroy();
      return;
    }
    const waiter = this.waiters.shift();
    this.releasedAt = performance.now();
    if (this.waiters.length === 0) this.stopWaiting();
    if (waiter !== undefined) return waiter.take(environment);
    this.idle.push({ environment, since: Date.now() });
    this.reaper ??= setInterval(() => this.reap(), REAP_INTERVAL_MS).unref();
  }

  private reap(): void {
    const limit = Date.now() - this.idleMs;
    while (this.idle[0] !== undefined && (this.idle[0].since <= limit || !this.idle[0].environment.alive)) {
      const { environment } = this.idle.shift()!;
      this.all.delete(environment);
      void environment.destroy();
    }
    if (this.idle.length === 0) {
      clearInterval(this.reaper);
      this.reaper = undefined;
    }
  }
}

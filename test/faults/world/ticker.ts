import { setTimeout as sleep } from 'node:timers/promises';
import { hostNameOf, type World } from './world.ts';

/** Stands in for the schedules: a function is invoked again and again, whether it fails or not. */
export class Ticker {
  private readonly stop = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** @param atOnce invocations that may run at once: the next one waits for one of them */
  start(fn: string, everyMs: number, atOnce = 1): void {
    for (let n = 0; n < atOnce; n++) this.loops.push(this.tick(fn, everyMs * atOnce));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.loops);
  }

  private async tick(fn: string, everyMs: number): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await this.world.host.invoke(hostNameOf(fn), {});
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

import type { VirtualTime } from './virtual-time.ts';

/** Batches that Lambda works off at once of one queue when it begins, and how many more each second. */
const AT_ONCE = { first: 5, moreEachSecond: 5, most: 1_250 };
/** ms from a message to the start of the function, warm and cold. */
const BEGIN_MS = 20;
const COLD_START_MS = 250;
/** How often a source that may not begin more looks again, ms. */
const LOOK_AGAIN_MS = 100;

export interface SourceOptions<Environment, Batch> {
  readonly time: VirtualTime;
  /** Takes a batch that can be had now; `undefined` when there is none. */
  readonly take: () => Promise<Batch | undefined>;
  readonly waiting: () => number;
  /** ms: when there may be more. */
  readonly nextAt: () => number | undefined;
  readonly newEnvironment: () => Environment;
  readonly run: (environment: Environment, batch: Batch) => Promise<void>;
}

/** An SQS event source: it begins with five batches at once, and each new environment begins cold. */
export function createSource<Environment, Batch>(options: SourceOptions<Environment, Batch>): { readonly look: () => void } {
  const { time } = options;
  const idle: Environment[] = [];
  let busy = 0;
  let busySince: number | undefined;
  let armed: number | undefined;

  const work = async (): Promise<void> => {
    const batch = await options.take();
    if (batch !== undefined) {
      const warm = idle.pop();
      await time.sleep(BEGIN_MS + (warm ? 0 : COLD_START_MS));
      const environment = warm ?? options.newEnvironment();
      await options.run(environment, batch);
      idle.push(environment);
    }
    busy -= 1;
    look();
  };
  const wakeAt = (at: number): void => {
    if (armed !== undefined && armed <= at) return;
    armed = at;
    void time.sleep(at - time.now()).then(() => {
      if (armed === at) armed = undefined;
      look();
    });
  };
  const look = (): void => {
    const waiting = options.waiting();
    if (waiting === 0 && busy === 0) busySince = undefined;
    else busySince ??= time.now();
    const grown = Math.floor(((time.now() - (busySince ?? time.now())) / 1000) * AT_ONCE.moreEachSecond);
    const allowed = Math.min(AT_ONCE.most, AT_ONCE.first + grown);
    while (busy < allowed && options.waiting() > 0) {
      busy += 1;
      void work();
    }
    if (options.waiting() > 0) wakeAt(time.now() + LOOK_AGAIN_MS);
    const next = options.nextAt();
    if (next !== undefined) wakeAt(Math.max(next, time.now() + 1));
  };
  return { look };
}

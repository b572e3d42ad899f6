import type { World } from './world.ts';

/** One thing that may happen next. */
export interface Step {
  readonly label: () => string;
  /** It must happen before time passes. */
  readonly prompt: boolean;
  readonly fault: boolean;
  readonly take: () => World | Promise<World>;
}

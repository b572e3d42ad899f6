import type { StartChoice, TaskTypeSpec } from '@sluice/contracts';
import type { ControlStep } from '../control/round.ts';
import type { Clock } from '../ports/clock.ts';
import type { StartStore } from '../ports/start-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { isAuto, nextChoice, START_RULES, type StartRules } from './choose.ts';

export interface StartStepDeps {
  readonly types: TypeRegistry;
  readonly starts: StartStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** @default START_RULES */
  readonly startRules?: StartRules;
}

const AT_ONCE = 10;

/** The step of control that chooses how types with `start: 'auto'` are started: the minute's round alone. */
export function startStep(deps: StartStepDeps): ControlStep {
  return { name: 'starts', run: async ({ minute }) => (minute ? chooseStarts(deps) : undefined) };
}

/**
 * Decides for each type by what was measured since the last decision. One conditional write is the whole of it: it changes
 * the choice and begins the next count, which has a name of its own. So a crash between any two calls leaves either, of two
 * at once one writes, and what is measured under an old choice is counted where nobody looks any more.
 */
export async function chooseStarts(deps: StartStepDeps): Promise<void> {
  const { types, starts } = deps;
  const specs = await Promise.all((await types.names()).map((name) => types.get(name)));
  const auto = new Map(specs.flatMap((spec) => (spec && isAuto(spec) ? [[spec.type, spec] as const] : [])));
  const known = new Map((await starts.all()).map((choice) => [choice.type, choice]));
  // A type that becomes `auto` again is measured from the beginning.
  await sideBySide(
    [...known.values()].filter(({ type }) => !auto.has(type)),
    AT_ONCE,
    (choice) => starts.remove(choice),
  );
  await sideBySide([...auto.values()], AT_ONCE, (spec) => chooseStart(deps, spec, known.get(spec.type)));
}

async function chooseStart(deps: StartStepDeps, { type }: TaskTypeSpec, choice: StartChoice | undefined): Promise<void> {
  const { starts, clock, telemetry, startRules = START_RULES } = deps;
  if (!choice) {
    await starts.write({ v: 1, type, mode: 'event', since: clock.now() }, undefined);
    return;
  }
  const counts = await starts.counted(choice);
  const next = nextChoice(choice, counts, clock.now(), startRules);
  if (next === choice || !(await starts.write(next, choice)) || next.mode === choice.mode) return;
  telemetry.count(next.mode === 'wait' ? 'start.to_wait' : 'start.to_event', type);
  telemetry.log('info', 'a type is started otherwise', { type, mode: next.mode, ...counts });
}

import type { ControlMessage } from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';

/** What one round of control is about. */
export interface ControlRound {
  readonly now: number;
  /** ms: when its invocation must have ended. */
  readonly deadline: number;
  /** Whether it is the minute's; else it was told what to look at. */
  readonly minute: boolean;
  readonly told: readonly ControlMessage[];
}

/** The tenants whose quotas were set or taken away, as control was told. */
export function quotasSet(told: readonly ControlMessage[]): readonly string[] {
  const tenants = told.flatMap((message) =>
    message.kind === 'divide' && message.type === undefined && message.tenant !== undefined ? [message.tenant] : [],
  );
  return [...new Set(tenants)];
}

/** A part of control's work. Rounds may overlap: each step must be safe when two of it run at once, and when one dies half-way. */
export interface ControlStep {
  /** For logs. */
  readonly name: string;
  readonly run: (round: ControlRound) => Promise<void>;
}

/**
 * One round of control: its steps in their order, each also when another fails.
 * @throws the first failure at the end, so that the invocation counts as an error
 */
export async function runRound(steps: readonly ControlStep[], round: ControlRound, telemetry: Telemetry): Promise<void> {
  const failures: unknown[] = [];
  for (const { name, run } of steps) {
    try {
      await run(round);
    } catch (error) {
      telemetry.log('error', 'a step of control failed', { step: name, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

import { EVENTS_BY_DEFAULT, isSystemName, type Notify, type TaskRow, type TerminalState, type TypeNotify } from '@sluice/contracts';
import { isTerminal } from '../tasks/state.ts';

/** Where a notification goes. */
export type Receiver = { readonly webhook: string } | { readonly queue: string };

/** What is told of one end, and to whom. */
export interface Told {
  /** Whether it becomes an event on the bus. */
  readonly event: boolean;
  readonly receivers: readonly Receiver[];
}

const NOTHING: Told = { event: false, receivers: [] };

/**
 * What is told of a row's end. What a task says replaces what its type says, channel by channel. Of the platform's own
 * tasks there are events alone: a notification of a notification would never end.
 * @param ofType what the task's type says, where it is known
 */
export function toldOf(row: Pick<TaskRow, 'state' | 'type' | 'notify'>, ofType: TypeNotify | undefined): Told {
  const { state } = row;
  if (!isTerminal(state)) return NOTHING;
  const platforms = isSystemName(row.type);
  const { events, webhook, queue }: Notify = platforms ? {} : { ...ofType, ...row.notify };
  return {
    event: ((events ?? EVENTS_BY_DEFAULT) as readonly TerminalState[]).includes(state),
    receivers: [
      ...(webhook && isOn(webhook.on, state) ? [{ webhook: webhook.url }] : []),
      ...(queue && isOn(queue.on, state) ? [{ queue: queue.name }] : []),
    ],
  };
}

function isOn(on: readonly TerminalState[] | undefined, state: TerminalState): boolean {
  return on === undefined || on.includes(state);
}

import type { Envelope } from '@sluice/contracts';

export const UID = '01JZ3N5V9K2M4P6Q8R0S1T3V5W';

/** An envelope as dispatch makes it: the first attempt, with a minute to go. */
export function envelopeOf(payload: unknown, sluice: Partial<Envelope['sluice']> = {}): Envelope {
  return {
    payload,
    sluice: {
      version: 1,
      tenant: 'acme',
      task: 'task-1',
      uid: UID,
      type: 'greet',
      fence: 1,
      attempt: 1,
      deadline: Date.now() + 60_000,
      ...sluice,
    },
  };
}

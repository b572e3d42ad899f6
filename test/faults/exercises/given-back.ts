import type { Stage } from '../world/stage.ts';

/** A permit that is given back once more, by who cannot know that it was: a task `first` of a type fails and has a successor. */
interface GivenBack {
  /** When: `as an id is freed`. */
  readonly as: string;
  /** @param between what happens before it is given back once more */
  readonly run: (stage: Stage, type: string, between: () => Promise<void>) => Promise<void>;
}

export const GIVEN_BACK: readonly GivenBack[] = [
  {
    as: 'as an id is freed',
    run: async (stage, type, between) => {
      await hasFailed(stage, type, between);
      const { uid } = await stage.submit('first', type, { do: 'ok' });
      await stage.ends('first', { state: 'succeeded', attempts: 1 }, uid);
    },
  },
  {
    as: 'as a task is retried',
    run: async (stage, type, between) => {
      const old = await hasFailed(stage, type, between);
      const { uid } = await stage.client.retry('first', { uid: old });
      await stage.ends('first', { state: 'failed', reason: 'fatal', attempts: 1 }, uid);
    },
  },
  {
    as: 'as a task is redriven',
    run: async (stage, type, between) => {
      const old = await hasFailed(stage, type, between);
      await stage.client.redrives.create({ ids: ['first'] });
      await stage.row('first', 'it is redriven', ({ uid, state }) => uid !== old && state === 'failed');
      await stage.ends('first', { state: 'failed', reason: 'fatal', attempts: 1 });
    },
  },
];

/** @returns its uid */
async function hasFailed(stage: Stage, type: string, between: () => Promise<void>): Promise<string> {
  const { uid } = await stage.submit('first', type, { do: 'fatal' });
  await stage.ends('first', { state: 'failed', reason: 'fatal', attempts: 1 });
  await between();
  return uid;
}

import { beforeAll, describe, expect, test } from 'vitest';
import { clientOf, finished, fresh, type Client } from './target.ts';

const text = (bytes: number): string => 'sluice '.repeat(Math.ceil(bytes / 7)).slice(0, bytes);

describe.concurrent('values of every size', () => {
  let client: Client;
  beforeAll(async () => {
    client = await clientOf(fresh('values'));
  });

  test.each([
    ['in the row', 300],
    ['as an item of their own', 5_000],
  ])('payload and result are kept %s', async (_, bytes) => {
    const payload = { do: 'ok', key: text(bytes) };
    const { id } = await client.submit({ type: 'unruly', payload });

    expect(await finished(client, id)).toMatchObject({ state: 'succeeded', result: { did: 'ok', key: payload.key } });
    expect(await client.get(id, { include: ['payload', 'result'] })).toMatchObject({ payload, result: { key: payload.key } });
  });

  test('a result larger than an item goes to S3', async () => {
    // A note whose one character is three in its normal form: what goes in is an item, what comes out is not.
    const { id } = await client.submit({ type: 'clean-text', payload: { text: '\u{1D160}'.repeat(1_900) } });

    const task = await finished(client, id);

    expect(task).toMatchObject({ state: 'succeeded', result: { stats: { charactersBefore: 1_900, characters: 5_700 } } });
    expect((task.result as { text: string }).text).toBe('\u{1D158}\u{1D165}\u{1D16E}'.repeat(1_900));
  });

  test('any JSON value is a payload', async () => {
    for (const payload of [null, 0, '', [], { ключ: 'значение', nested: [1, { two: '🎈' }] }]) {
      const { id } = await client.submit({ type: 'unruly', payload, delaySeconds: 600 });
      expect((await client.get(id, { include: ['payload'] })).payload).toEqual(payload);
    }
  });
});

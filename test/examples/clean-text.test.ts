import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { envelopeOf } from '../unit/handler/envelope.ts';

const folder = fileURLToPath(new URL('../../examples/clean-text', import.meta.url));
const MAIN = `import json, sys; sys.path.insert(0, sys.argv[1]); import handler
print(json.dumps(handler.handler(json.load(sys.stdin), None)))`;

const run = (payload: unknown) => runEvent(envelopeOf(payload, { type: 'clean-text' }));

/** Runs the handler as Lambda does: JSON in, JSON out, an error on standard error. */
async function runEvent(event: unknown): Promise<{ result: unknown; error: string }> {
  const python = spawn('python3', ['-B', '-c', MAIN, folder]);
  python.stdin.end(JSON.stringify(event));
  const [out, error] = await Promise.all([text(python.stdout), text(python.stderr)]);
  return { result: out === '' ? undefined : JSON.parse(out), error: error.trim().split('\n').at(-1) ?? '' };
}

describe('clean-text', () => {
  it('cleans the text and counts', async () => {
    const dirty = '\ufeff  \u201cCafe\u0301\u201d \u2013 it\u2019s\u00a0\u00a0good\u2026\u0007\r\n\r\n\n\n It\tis. ';
    const { result } = await run({ text: dirty });
    expect(result).toEqual({
      text: '"Caf\u00e9" - it\'s good...\n\nIt is.',
      stats: { charactersBefore: dirty.length, characters: 29, lines: 3, words: 5, distinctWords: 5 },
    });
  });

  it('keeps other scripts and folds case when it counts', async () => {
    const { result } = await run({ text: 'Straße STRASSE 東京 Ça ça' });
    expect(result).toMatchObject({ text: 'Straße STRASSE 東京 Ça ça', stats: { words: 5, distinctWords: 3, lines: 1 } });
  });

  it('fetches a payload that is too large for its event', async () => {
    const server = createServer((_, answer) => answer.end(JSON.stringify({ text: ' far  away ' })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { sluice } = envelopeOf(undefined, { type: 'clean-text' });
    const { result } = await runEvent({ payloadUrl: `http://127.0.0.1:${port}/payload.json`, sluice });
    server.close();
    expect(result).toMatchObject({ text: 'far away' });
  });

  it('cleans nothing to nothing', async () => {
    const { result } = await run({ text: ' \n\u200b ' });
    expect(result).toMatchObject({ text: '', stats: { characters: 0, lines: 0, words: 0 } });
  });

  it.each([{}, { text: 1 }, 'text', null, undefined, ['text']])('raises a ValueError for %j', async (payload) => {
    expect(await run(payload)).toEqual({ result: undefined, error: 'ValueError: the payload must be {"text": "..."}' });
  });

  it('raises a ValueError for a text that is too long', async () => {
    expect((await run({ text: 'x'.repeat(500_001) })).error).toContain('500001 characters');
  });
});

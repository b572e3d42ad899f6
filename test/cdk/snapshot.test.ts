import { describe, expect, it } from 'vitest';
import { makePlatform, templatesOf } from './synth.ts';

/** Asset hashes, and the names of versions made of them, change with every line of code and with the folder; what they are part of does not. */
function withoutHashes(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value)
      .replace(/[0-9a-f]{64}/g, '<hash>')
      .replace(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>'),
  );
}

describe('the default stack', () => {
  it('is what was last agreed on', async () => {
    const templates = Object.fromEntries(
      [...templatesOf(makePlatform().stack)].map(([path, template]) => [path, withoutHashes(template.toJSON())]),
    );
    await expect(`${JSON.stringify(templates, null, 2)}\n`).toMatchFileSnapshot('__snapshots__/default-stack.json');
  });
});

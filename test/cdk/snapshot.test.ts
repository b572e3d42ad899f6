import { describe, expect, it } from 'vitest';
import { makePlatform, templatesOf } from './synth.ts';

/** Asset hashes change with every line of code; what they are part of does not. */
function withoutHashes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replace(/[0-9a-f]{64}/g, '<hash>'));
}

describe('the default stack', () => {
  it('is what was last agreed on', async () => {
    const templates = Object.fromEntries(
      [...templatesOf(makePlatform().stack)].map(([path, template]) => [path, withoutHashes(template.toJSON())]),
    );
    await expect(`${JSON.stringify(templates, null, 2)}\n`).toMatchFileSnapshot('__snapshots__/default-stack.json');
  });
});

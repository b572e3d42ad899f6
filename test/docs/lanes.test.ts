import { LANE_LIMITERS, LANE_WHYS } from '@sluice/contracts';
import { expect, it } from 'vitest';
import { textOf } from './pages.ts';

it('docs/concurrency.md says of everything that holds a lane back what it is, in the order in which it is looked at', () => {
  const [, part = ''] = /^## Why does a lane start no more\?\n([^]*?)^## /m.exec(textOf('docs/concurrency.md')) ?? [];
  expect([...part.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code)).toEqual([...LANE_WHYS]);
});

it('docs/api.md names everything that makes the limit of a lane', () => {
  const [row = ''] = /^\| `limitedBy` .*$/m.exec(textOf('docs/api.md')) ?? [];
  for (const by of LANE_LIMITERS) expect(row).toContain(`\`${by}\``);
});

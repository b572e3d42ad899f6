import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { watchSources } from '../../bin/dev/sources.ts';
import { temporaryFolder } from './support/harness.ts';

let watching: { close(): void } | undefined;
let changes = 0;

afterEach(() => watching?.close());

function watchFolder(work: () => Promise<void> = async () => undefined): string {
  const root = temporaryFolder();
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  for (const file of ['src/a.ts', 'src/deep/b.py']) writeFileSync(join(root, file), '1');
  changes = 0;
  watching = watchSources(root, ['src'], () => {
    changes += 1;
    return work();
  });
  return root;
}

const expectChanges = (count: number) => expect.poll(() => changes, { timeout: 10_000 }).toBe(count);

it('tells of files that are written, replaced, added and removed, however often', async () => {
  const root = watchFolder();
  for (let time = 1; time <= 3; time += 1) {
    writeFileSync(join(root, 'src/a.ts'), String(time));
    await expectChanges(2 * time - 1);
    // As many editors save.
    writeFileSync(join(root, 'src/deep/b.py.tmp'), String(time));
    renameSync(join(root, 'src/deep/b.py.tmp'), join(root, 'src/deep/b.py'));
    await expectChanges(2 * time);
  }
  mkdirSync(join(root, 'src/new/newer'), { recursive: true });
  await sleep(200);
  writeFileSync(join(root, 'src/new/newer/c.ts'), '');
  await expectChanges(7);
  rmSync(join(root, 'src/new'), { recursive: true });
  await expectChanges(8);
  // With what is in it, as from a branch that is checked out.
  mkdirSync(join(root, 'src/new/newer'), { recursive: true });
  writeFileSync(join(root, 'src/new/newer/d.ts'), '');
  await expectChanges(9);
});

it('leaves out packages and what is no source', async () => {
  const root = watchFolder();
  mkdirSync(join(root, 'src/node_modules/p'), { recursive: true });
  await sleep(200);
  writeFileSync(join(root, 'src/node_modules/p/index.js'), '');
  writeFileSync(join(root, 'src/notes.md'), '');
  await sleep(300);
  expect(changes).toBe(0);
});

it('takes changes of one moment as one, and those that come meanwhile as one more', async () => {
  const ends: (() => void)[] = [];
  const root = watchFolder(() => new Promise((resolve) => ends.push(resolve)));
  for (const file of ['src/a.ts', 'src/deep/b.py']) writeFileSync(join(root, file), '2');
  await expectChanges(1);
  for (const text of ['3', '4']) {
    writeFileSync(join(root, 'src/a.ts'), text);
    await sleep(200);
  }
  expect(changes).toBe(1);
  ends.shift()?.();
  await expectChanges(2);
  ends.shift()?.();
  await sleep(200);
  expect(changes).toBe(2);
});

import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds without another change, so that a save of many files is one deployment. */
const QUIET_MS = 50;

const SOURCES = /\.(ts|mts|js|mjs|cjs|py|json|html)$/;

/** Calls back after each change of a source file in these folders; a change that comes while the last is worked on waits. */
export function watchSources(root: string, folders: readonly string[], changed: () => Promise<void>): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let working = false;
  let again = false;
  const work = async (): Promise<void> => {
    if (working) {
      again = true;
      return;
    }
    working = true;
    do {
      again = false;
      await changed();
    } while (again);
    working = false;
  };
  const watchers: FSWatcher[] = folders.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_event, file) => {
      if (file === null || !SOURCES.test(file) || file.includes('node_modules')) return;
      clearTimeout(timer);
      timer = setTimeout(() => void work(), QUIET_MS);
    }),
  );
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

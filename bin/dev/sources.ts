import { existsSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { platform } from 'node:process';
import { basename, join, sep } from 'node:path';

/** Milliseconds without another change, so that a save of many files is one deployment. */
const QUIET_MS = 50;

const SOURCES = /\.(ts|mts|js|mjs|cjs|py|json)$/;

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
  const watchers = folders.map((folder) =>
    watchTree(join(root, folder), (file) => {
      if (!SOURCES.test(file)) return;
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

/** Tells the names of files that change anywhere below a folder, packages left out. */
function watchTree(top: string, changed: (file: string) => void): { close(): void } {
  if (platform !== 'linux') {
    const tell = (file: string | null) => file !== null && !file.includes('node_modules') && changed(file);
    return watch(top, { recursive: true }, (_event, file) => void tell(file));
  }
  // Node.js has no recursive watch of its own on Linux: it watches each file, and loses one that an editor saves by
  // writing another and renaming it. A folder's own watch tells of every file in it.
  const watchers = new Map<string, FSWatcher>();
  let started = false;
  const add = (folder: string): void => {
    if (watchers.has(folder) || !existsSync(folder)) return;
    const watcher = watch(folder, (event, file) => {
      if (file === null) return;
      if (event === 'rename') {
        // By its own name a folder tells that it is gone; another may have its place by now.
        if (file === basename(folder)) forget(folder);
        add(folder);
        addFolders(folder);
      }
      changed(file);
    });
    watcher.on('error', () => forget(folder));
    watchers.set(folder, watcher);
    addFolders(folder);
    // What came with a new folder was there before its watch.
    if (started) for (const file of readdirSync(folder)) changed(file);
  };
  const forget = (folder: string): void => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      watchers.delete(path);
    }
  };
  const addFolders = (folder: string): void => {
    if (!existsSync(folder)) return forget(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name !== 'node_modules') add(join(folder, entry.name));
    }
  };
  add(top);
  started = true;
  return {
    close() {
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

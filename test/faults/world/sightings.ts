import type { SeenCall } from '../proxy/rules.ts';
import { nameOf } from '../sites/scan.ts';

/** The calls about one run: those that have one of its names in them. */
export class Watch {
  readonly names: readonly string[];
  private readonly calls = new Map<string, Set<string>>();

  constructor(names: readonly string[]) {
    this.names = names;
  }

  add(site: string, call: string): void {
    const calls = this.calls.get(site) ?? new Set();
    this.calls.set(site, calls.add(call));
  }

  /** Call sites that were seen, and how many calls of each. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.calls].map(([site, calls]) => [site, calls.size]));
  }

  has(part: string): boolean {
    return [...this.calls.keys()].some((site) => site.startsWith(part));
  }
}

/** Everything that the proxy has seen of the functions' calls. */
export class Sightings {
  /** Every call site that was seen at all. */
  readonly sites = new Set<string>();
  /** Requests that no call site was found for in the sources. */
  readonly untagged = new Set<string>();
  private readonly watches = new Set<Watch>();
  private readonly processes = new Map<string, Set<number>>();
  private nameless = new Map<string, number>();

  watch(names: readonly string[]): Watch {
    const watch = new Watch(names);
    this.watches.add(watch);
    return watch;
  }

  unwatch(watch: Watch): void {
    this.watches.delete(watch);
  }

  note({ fn, service, site, call, pid, text }: SeenCall): void {
    if (pid !== undefined) this.processes.set(fn, (this.processes.get(fn) ?? new Set()).add(pid));
    if (site === undefined) {
      // A URL that was signed for a handler.
      if (!text.includes('X-Amz-Signature=')) this.untagged.add(`${fn}: ${service} ${text.slice(0, 200)}`);
      return;
    }
    const name = nameOf({ fn, ...site });
    this.sites.add(name);
    let named = false;
    for (const watch of this.watches) {
      if (!watch.names.some((each) => text.includes(each))) continue;
      watch.add(name, call);
      named = true;
    }
    if (!named) this.nameless.set(name, (this.nameless.get(name) ?? 0) + 1);
  }

  /** Calls since the last time it was asked that were about no run that is watched. */
  takeNameless(): ReadonlyMap<string, number> {
    const taken = this.nameless;
    this.nameless = new Map();
    return taken;
  }

  /** Ends every process of a function, so that its next call finds it cold. */
  kill(fn: string): void {
    for (const pid of this.processes.get(fn) ?? []) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    this.processes.delete(fn);
  }
}

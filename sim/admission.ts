import { isSluiceError, type Quota, type SluiceError } from '@sluice/contracts';
import { submitTasks, type SubmitResult } from '../core/submit/submit.ts';
import { CALM_MS } from './checks/refusals.ts';
import type { Stream } from './choices.ts';
import { invoke } from './invocation.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { SUBMITTING_MS } from './workload.ts';

/** Tenants with bounds: of their rate, which submit asks for once many of their tasks have come, and of what waits. */
const BOUNDED: readonly { readonly tenant: string; readonly quota: Quota; readonly types: readonly [string, ...string[]] }[] = [
  { tenant: 'fast', quota: { rate: 1, burst: 4 }, types: ['wide', 'short'] },
  { tenant: 'full', quota: { backlog: 4, maxAgeSeconds: 60 }, types: ['narrow', 'single'] },
];
const TENANTS = BOUNDED.map(({ tenant }) => tenant);
const CALLS = 6;
/** Tasks of a call: many enough, now and then, for submit to ask for its tenant's bounds. */
const SIZES = [2, 6, 25] as const;
/** Times that a client comes which does not want it all in. */
const TURNS = 4;
/** When its call failed a client comes again so much later, ms. */
const FAILED_MS = 4_000;

/** Tenants that submit more than they may, and come again as they are told. */
export async function startAdmission(sim: Simulation, faultsMs: number): Promise<void> {
  if (!sim.profile.admits) return;
  strike(sim, 'admits');
  const { kernel, root, services } = sim;
  for (const { tenant, quota } of BOUNDED) await services.quotas.put(tenant, { v: 1, tenant, quota, updatedAt: kernel.now() });
  for (let n = 0; n < CALLS; n++) {
    const stream = root.fork('bounded', n);
    const { tenant, types } = BOUNDED[n % BOUNDED.length] ?? { tenant: '', types: [''] };
    const type = oneOf(stream, 'type', types);
    const count = oneOf(stream, 'tasks', SIZES);
    const batch = Array.from({ length: count }, (_, i) => ({ type, id: `${type}-bounded-${n}-${i}`, payload: {} }));
    const turns = count > TURNS ? TURNS : Infinity;
    const at = stream.choose(SUBMITTING_MS / 1000, 'at') * 1000;
    kernel.after(at, () => come(sim, stream, { tenant, batch, turns }));
  }
  for (const tenant of ['a', ...TENANTS]) {
    const id = 'narrow-calm';
    sim.checks.refusals.wants(tenant, id);
    const task = { type: 'narrow', id, payload: {} };
    kernel.after(faultsMs + CALM_MS, () => come(sim, root.fork(`calm ${tenant}`), { tenant, batch: [task], turns: Infinity }));
  }
}

interface Coming {
  readonly tenant: string;
  readonly batch: readonly { readonly id: string }[];
  readonly turns: number;
}

/** A client that comes again when it is told to, or some seconds after its call has failed. */
function come(sim: Simulation, stream: Stream, { tenant, batch, turns }: Coming, turn = 0): void {
  const { refusals } = sim.checks;
  if (turns === Infinity) for (const { id } of batch) refusals.wants(tenant, id);
  const again = (left: Coming['batch'], ms: number): void => {
    if (left.length === 0) return;
    if (turn + 1 < turns) sim.kernel.after(ms, () => come(sim, stream, { tenant, batch: left, turns }, turn + 1));
  };
  invoke(sim, {
    name: 'submit',
    stream: stream.fork('turn', turn),
    about: `${batch.length} of ${tenant}, turn ${turn + 1}`,
    run: (ports, { gate }) => submitTasks({ ...ports, ...(gate && { admission: gate() }) }, tenant, batch),
    done: (results: readonly SubmitResult[]) => {
      const left: Coming['batch'][number][] = [];
      let ms = 0;
      for (const [i, task] of batch.entries()) {
        const result = results[i];
        if (result?.ok === true) {
          sim.checks.accept(tenant, task.id, result.task.uid);
          refusals.admitted(tenant, task.id);
        } else if (result && isRefusal(result.error)) {
          left.push(task);
          ms = Math.max(ms, 1_000 * refusals.refused(tenant, task.id, result.error));
        } else {
          refusals.unknown(tenant, task.id);
          if (result && isSluiceError(result.error) && !result.error.retryable) refusals.leaves(tenant, task.id);
          else {
            left.push(task);
            ms = Math.max(ms, FAILED_MS);
          }
        }
      }
      again(left, ms);
    },
    failed: () => {
      for (const { id } of batch) refusals.unknown(tenant, id);
      again(batch, FAILED_MS);
    },
  });
}

/** Whatever the answer says: it is too many. */
function isRefusal({ status }: SluiceError): boolean {
  return status === 429;
}

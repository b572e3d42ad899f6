import { isSluiceError, isSystemName, PRIORITIES, SluiceError, type Accepted, type CountName, type TaskRow } from '@sluice/contracts';
import type { Admission } from '../admission/admission.ts';
import { chunks, placeHints } from '../hints/place.ts';
import { homeFor } from '../hints/timing.ts';
import { notifyCheck, type NotifyCheck } from '../notify/check-notify.ts';
import { KEPT_MS } from '../tasks/kept.ts';
import { hintOf } from '../tasks/state.ts';
import { logStep } from '../tasks/step.ts';
import { storeValue } from '../tasks/values.ts';
import { newRow } from './new-row.ts';
import { notHinted } from './hint-again.ts';
import { acceptedAs, putRow, type AcceptDeps, type SubmitDeps } from './put-row.ts';
import { checkSubmission, type Submitter } from './validate.ts';

export type SubmitResult = { readonly ok: true; readonly task: Accepted } | { readonly ok: false; readonly error: SluiceError };

export type { AcceptDeps, SubmitDeps };

/** A batch goes in parts, so that no hint waits long for its row; some parts at once. */
const PART = 50;
const PARTS_AT_ONCE = 3;
/** Tasks that one bucket item names: those of a batch that are far away and due in the same minute cost one write. */
const FAR_PART = 500;

interface Candidate {
  readonly index: number;
  readonly row: TaskRow;
  readonly json: string;
}

/**
 * Accepts submissions of one tenant: payload, then hint, then row, so that no accepted task is ever without a hint.
 * @returns a result for each, in order. An item that failed with a retryable error may be submitted again with its id.
 */
export function submitTasks(
  deps: SubmitDeps & { readonly admission?: Admission },
  tenant: string,
  submissions: readonly unknown[],
): Promise<readonly SubmitResult[]> {
  return acceptTasks(deps, tenant, submissions, 'caller', notifyCheck(deps, tenant), deps.admission);
}

/**
 * The same for whoever submits, with a check of their own for the receivers that a task names.
 * @param admission refuses what is beyond the tenant's bounds; without it nothing is
 */
export async function acceptTasks(
  deps: AcceptDeps,
  tenant: string,
  submissions: readonly unknown[],
  by: Submitter,
  check: NotifyCheck,
  admission?: Admission,
): Promise<readonly SubmitResult[]> {
  const results: (SubmitResult | undefined)[] = submissions.map(() => undefined);
  const candidates: Candidate[] = [];
  for (const [index, submission] of submissions.entries()) {
    try {
      candidates.push(await candidateOf(deps, tenant, submission, index, by, check));
    } catch (error) {
      results[index] = { ok: false, error: asSluiceError(error) };
    }
  }
  const keep = (part: Settled): void => {
    for (const [index, result] of part) results[index] = result;
  };
  await known(deps, tenant, candidates.length, admission);
  const { admitted, refused } = admission ? admitAll(admission, tenant, candidates) : { admitted: candidates, refused: [] };
  keep(refused);
  const { first, repeats } = splitRepeats(admitted);
  const now = deps.clock.now();
  const isFar = ({ row }: Candidate): boolean => homeFor(row.at, now).in === 'bucket';
  const near = first.filter((candidate) => !isFar(candidate));
  const far = first.filter(isFar);
  await Promise.all([
    inParts(near, async (part) => keep(await acceptPart(deps, tenant, part))),
    ...chunks(far, FAR_PART).map(async (part) => keep(await acceptFar(deps, tenant, part))),
  ]);
  // The same id twice in one batch: the later ones meet the row of the first.
  for (const repeat of repeats) keep(await acceptPart(deps, tenant, [repeat]));
  const all = results.map((result): SubmitResult => result ?? { ok: false, error: new SluiceError('internal', 'no result') });
  // A submission that is no candidate has no type that is known, whatever it says.
  const typeOf = new Map(candidates.map(({ index, row }) => [index, row.type]));
  for (const [index, result] of all.entries()) deps.telemetry.count(countOf(result), typeOf.get(index));
  return all;
}

function countOf(result: SubmitResult): CountName {
  if (result.ok) return result.task.deduplicated ? 'submit.deduplicated' : 'submit.accepted';
  if (result.error.status === 429) return 'submit.throttled';
  return result.error.status < 500 ? 'submit.refused' : 'submit.failed';
}

async function candidateOf(
  deps: AcceptDeps,
  tenant: string,
  input: unknown,
  index: number,
  by: Submitter,
  check: NotifyCheck,
): Promise<Candidate> {
  const now = deps.clock.now();
  const checked = checkSubmission(input, now, by);
  if (!(await deps.types.get(checked.submission.type))) {
    const known = (await deps.types.names()).filter((name) => !isSystemName(name));
    throw new SluiceError(
      'unknown_type',
      `there is no task type "${checked.submission.type}"; deployed are: ${known.join(', ') || 'none'}`,
      { details: { known } },
    );
  }
  await check(checked.submission.notify);
  const uid = deps.random.ulid(now);
  return { index, json: checked.json, row: newRow({ tenant, uid, now, checked, hash: deps.hasher }) };
}

/** What decides about them is known as it was some seconds ago: an environment that nobody used for a while waits for that. */
async function known({ routing }: AcceptDeps, tenant: string, tasks: number, admission: Admission | undefined): Promise<void> {
  if (tasks > 0) await Promise.all([admission?.ready(tenant, tasks), routing.map?.ready()]);
}

/** Of tasks that come together the more urgent ones are admitted first. */
function admitAll(
  admission: Admission,
  tenant: string,
  candidates: readonly Candidate[],
): { admitted: readonly Candidate[]; refused: Settled } {
  if (candidates.length === 0) return { admitted: candidates, refused: [] };
  const { admitted, refused } = admission.admit(tenant, candidates.length);
  if (refused.length === 0) return { admitted: candidates, refused: [] };
  const rank = ({ row }: Candidate): number => PRIORITIES.indexOf(row.priority);
  const gone = candidates.toSorted((a, b) => rank(a) - rank(b)).slice(admitted);
  const errors = refused.flatMap(({ tasks, error }) => Array.from({ length: tasks }, () => error));
  const settled = gone.flatMap(({ index }, i) => (errors[i] ? [[index, { ok: false, error: errors[i] }] as const] : []));
  const left = new Set(gone);
  return { admitted: candidates.filter((candidate) => !left.has(candidate)), refused: settled };
}

function splitRepeats(candidates: readonly Candidate[]): { first: Candidate[]; repeats: Candidate[] } {
  const seen = new Set<string>();
  const first: Candidate[] = [];
  const repeats: Candidate[] = [];
  for (const candidate of candidates) {
    (seen.has(candidate.row.id) ? repeats : first).push(candidate);
    seen.add(candidate.row.id);
  }
  return { first, repeats };
}

type Settled = readonly (readonly [index: number, result: SubmitResult])[];

/** Calls once for each part, for a few of them at a time. */
async function inParts<T>(items: readonly T[], run: (part: readonly T[]) => Promise<void>): Promise<void> {
  const parts = chunks(items, PART);
  const lanes = Array.from({ length: Math.min(PARTS_AT_ONCE, parts.length) }, (_, lane) => lane);
  await Promise.all(
    lanes.map(async (lane) => {
      for (let i = lane; i < parts.length; i += lanes.length) await run(parts[i] ?? []);
    }),
  );
}

async function acceptPart(deps: AcceptDeps, tenant: string, part: readonly Candidate[]): Promise<Settled> {
  const { ready, refused } = await withPayloads(deps, part);
  const { hinted, made, unhinted } = await hint(deps, tenant, ready);
  return [...refused, ...unhinted, ...(await putRows(deps, hinted, made))];
}

/**
 * All payloads, then all hints, then the rows. Nobody looks at a bucket for minutes, so no hint is there in vain while the
 * rows of other parts are written; a row that takes longer than it may is hinted again, as any other is.
 */
async function acceptFar(deps: AcceptDeps, tenant: string, part: readonly Candidate[]): Promise<Settled> {
  const settled: (readonly [number, SubmitResult])[] = [];
  const ready: Candidate[] = [];
  await inParts(part, async (some) => {
    const stored = await withPayloads(deps, some);
    ready.push(...stored.ready);
    settled.push(...stored.refused);
  });
  const { hinted, made, unhinted } = await hint(deps, tenant, ready);
  settled.push(...unhinted);
  await inParts(hinted, async (some) => void settled.push(...(await putRows(deps, some, made))));
  return settled;
}

async function withPayloads(deps: AcceptDeps, part: readonly Candidate[]): Promise<{ ready: Candidate[]; refused: Settled }> {
  const stored = await Promise.all(part.map((candidate) => attempt(() => withPayload(deps, candidate))));
  const ready = stored.flatMap((s) => (s.ok ? [s.value] : []));
  const refused = stored.flatMap((s, i) => (s.ok ? [] : [[part[i]?.index ?? 0, s] as const]));
  return { ready, refused };
}

/** @returns those whose hints are durable, with when these were made */
async function hint(deps: AcceptDeps, tenant: string, part: readonly Candidate[]) {
  const made = deps.clock.now();
  const durable = await placeHints(
    deps,
    part.map(({ row }) => ({ tenant, task: hintOf(row, made) })),
  );
  const hinted = part.filter((_, i) => durable[i] === true);
  const unhinted: Settled = part.flatMap(({ index }, i) =>
    durable[i] === true ? [] : [[index, { ok: false, error: notHinted() }] as const],
  );
  return { hinted, made, unhinted };
}

async function putRows(deps: AcceptDeps, part: readonly Candidate[], made: number): Promise<Settled> {
  return Promise.all(
    part.map(async ({ index, row }) => {
      const put = await attempt(async () => acceptedAs(await putRow(deps, row, made)));
      tell(deps, row, put);
      return [index, put.ok ? { ok: true, task: put.value } : put] as const;
    }),
  );
}

function tell(deps: AcceptDeps, row: TaskRow, put: Attempted<Accepted>): void {
  if (!put.ok) return logStep(deps.telemetry, 'refused', row, { code: put.error.code, reason: put.error.message });
  const task = { ...row, uid: put.value.uid };
  logStep(deps.telemetry, put.value.deduplicated ? 'deduplicated' : 'accepted', task, row.at > row.acceptedAt ? { notBefore: row.at } : {});
}

/** The payload is durable before anything names it. */
async function withPayload(deps: AcceptDeps, candidate: Candidate): Promise<Candidate> {
  const { row, json } = candidate;
  const until = Math.max(row.at, row.acceptedAt) + KEPT_MS;
  return { ...candidate, row: { ...row, payload: await storeValue(deps.values, row, 'payload', json, until) } };
}

type Attempted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SluiceError };

async function attempt<T>(run: () => Promise<T>): Promise<Attempted<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (error) {
    return { ok: false, error: asSluiceError(error) };
  }
}

function asSluiceError(error: unknown): SluiceError {
  return isSluiceError(error)
    ? error
    : new SluiceError('unavailable', 'the task could not be stored; submit it again with the same id', { cause: error });
}

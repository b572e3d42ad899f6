import type { StartMode, TaskTypeSpec, Envelope } from '@sluice/contracts';
import { EVENT_AGE_SECONDS } from '@sluice/contracts';
import { isTerminal } from '../../core/tasks/state.ts';
import { unknownAnswer } from '../ports.ts';
import { CALLS, READS } from './apply.ts';
import { describeCall } from './describe.ts';
import type { ExploreConfig, FaultKind, RunEnding } from './config.ts';
import type { Answer, Continuations, PendingCall } from './continuation.ts';
import { armedMinutes, crashed, passTime, progress } from './invocations.ts';
import { clientSteps, receiveSteps } from './starts.ts';
import type { Step } from './step.ts';
import { T0, withRecord, type HandlerRun, type Invocation, type World } from './world.ts';

/** All that may happen next in a world. Of two equal worlds the same, in the same order. */
export function stepsOf(config: ExploreConfig, code: Continuations, world: World): readonly Step[] {
  const can = (kind: FaultKind) => world.faults < config.faults && config.kinds.includes(kind);
  const over = isOver(config, world);
  const first = firstStep(config, code, world, can);
  if (first) return first;
  const steps = world.invocations.flatMap((invocation) => invocationSteps(config, code, world, invocation, can));
  steps.push(...receiveSteps(config, code, world, can('again')), ...clientSteps(config, code, world));
  steps.push(...world.runs.flatMap((run) => runSteps(config, code, world, run, can)));
  if (over && steps.length > 1) return steps.slice(0, 1);
  if (steps.some((step) => step.prompt)) return steps;
  const next = passTime(world);
  if (next)
    steps.push({ label: () => `${((next.now - world.now) / 1000).toFixed(3)} s pass`, prompt: false, fault: false, take: () => next });
  return steps;
}

/**
 * Calls that commute with all that others do, and that no check would miss: taken first they leave out only orders that
 * lead to the same states (an ample set of one invocation; Peled, "All from one, one for all", 1993).
 */
const ALONE: ReadonlySet<string> = new Set(['tasks.archive', 'tasks.putAttempt']);
/** The same once there is no fault left that could come between: whoever is through with its message deletes it. */
const ALONE_AT_LAST: ReadonlySet<string> = new Set([...ALONE, 'queue.remove', 'records.remove', 'events.publish', 'queue.giveBack']);

function firstStep(config: ExploreConfig, code: Continuations, world: World, can: Can): Step[] | undefined {
  const alone = world.faults < config.faults ? ALONE : ALONE_AT_LAST;
  for (const invocation of world.invocations) {
    if (invocation.slow) continue;
    const calls = [...invocation.at.pending];
    const inert = calls.find(([, call]) => isInert(world, call));
    if (inert) return invocationSteps(config, code, world, invocation, () => false, inert[0]);
    if (calls.length === 1 && calls.every(([, { at }]) => alone.has(at))) return invocationSteps(config, code, world, invocation, can);
  }
  return undefined;
}

/**
 * Of buckets that nothing was ever put into there is nothing to see, nor of a minute that nobody has put anything into: it is
 * read when it is about to be due, and whoever decides on a put by then takes a later one.
 */
function isInert(world: World, { at, args: [minute] }: PendingCall): boolean {
  if (!at.startsWith('buckets.') || at === 'buckets.put') return false;
  if (world.buckets.length === 0) return true;
  return at === 'buckets.read' && !world.buckets.some((item) => item.minute === minute) && !armedMinutes(world).includes(minute as number);
}

/** All has ended and been told, and nothing more can go wrong: what hints are left may be worked off in any one order. */
function isOver(config: ExploreConfig, world: World): boolean {
  return (
    world.faults >= config.faults &&
    world.runs.length === 0 &&
    world.rows.length > 0 &&
    world.rows.every((row) => isTerminal(row.state)) &&
    world.called.every((n, client) => n >= (config.clients[client]?.length ?? 0)) &&
    world.invocations.every((i) => i.client === undefined && !i.slow)
  );
}

type Can = (kind: FaultKind) => boolean;

function invocationSteps(
  config: ExploreConfig,
  code: Continuations,
  world: World,
  invocation: Invocation,
  can: Can,
  only?: number,
): Step[] {
  const who = `${invocation.at.input.kind} ${invocation.id}`;
  const waits = new Set(world.runs.flatMap(({ waitedForBy: by }) => (by?.invocation === invocation.id ? [by.call] : [])));
  const calls = [...invocation.at.pending].filter(([n]) => !waits.has(n) && (only === undefined || n === only));
  const prompt = !invocation.slow;
  const faulted: World = { ...world, faults: world.faults + 1 };
  const { held } = invocation;
  if (held) {
    const name = describeCall(invocation.at.pending.get(held.call) as PendingCall);
    const take = () => progress(code, world, invocation.id, held.call, held.answer);
    return [{ label: () => `${who}: gets the answer to ${name}`, prompt: false, fault: false, take }];
  }
  const steps = calls.flatMap(([n, call]): Step[] => {
    const name = describeCall(call);
    const answer = (next: World, value: Answer) => progress(code, next, invocation.id, n, value);
    const unknown = answerOf(call);
    const label = (what: string) => () => `${who}: ${name}${what}`;
    if (call.at === 'starter.start') {
      return startSteps(config, world, invocation, n, call, can).map((start): Step => ({
        label: label(start.what),
        prompt,
        fault: start.fault,
        take: () => (start.answer ? answer(start.world, start.answer) : awake(start.world, invocation.id)),
      }));
    }
    if (call.at === 'starts.known') {
      // It may have been chosen otherwise since it was asked last, and an environment may not know of it yet.
      return MODES.map((mode): Step => ({
        label: label(` says ${mode}`),
        prompt,
        fault: false,
        take: () => answer(world, { value: { v: 1, type: call.args[0], mode, since: T0 } }),
      }));
    }
    const apply = (before: World) => (CALLS[call.at] ?? notExplored(call.at))(before, ...(call.args as never[]));
    const list: Step[] = [
      {
        label: label(''),
        prompt,
        fault: false,
        take: () => {
          const applied = apply(world);
          return answer(applied.world, { value: applied.answer });
        },
      },
    ];
    if (can('late') && !OWN.has(call.at) && calls.length === 1) {
      const take = () => {
        const applied = apply(faulted);
        const waiting = { ...invocation, slow: true, held: { call: n, answer: { value: applied.answer } } };
        return { ...applied.world, invocations: applied.world.invocations.map((i) => (i === invocation ? waiting : i)) };
      };
      list.push({ label: label(', its answer comes LATE'), prompt: false, fault: true, take });
    }
    if (can('fail') && !OWN.has(call.at)) {
      list.push({ label: label(' FAILS'), prompt: false, fault: true, take: () => answer(faulted, unknown) });
    }
    if (can('ambiguous') && !OWN.has(call.at) && !READS.has(call.at)) {
      list.push({ label: label(', its answer is LOST'), prompt: false, fault: true, take: () => answer(apply(faulted).world, unknown) });
    }
    return list;
  });
  if (can('crash')) {
    steps.push({
      label: () => `${who} CRASHES${calls[0] ? ` before ${describeCall(calls[0][1])}` : ''}`,
      prompt: false,
      fault: true,
      take: () => crashed(faulted, invocation.id),
    });
  }
  // Between the check of a lease and the invocation that it allows no more time passes than that check leaves.
  if (can('slow') && !invocation.slow && calls.length > 0 && calls.every(([, { at }]) => at !== 'starter.start')) {
    const take = () => ({ ...faulted, invocations: world.invocations.map((i) => (i === invocation ? { ...i, slow: true } : i)) });
    steps.push({
      label: () => `${who} is SLOW before ${describeCall((calls[0] as [number, PendingCall])[1])}`,
      prompt: false,
      fault: true,
      take,
    });
  }
  return steps;
}

/** How attempts are started that choose it: either, each time that it is asked. */
const MODES: readonly StartMode[] = ['event', 'wait'];

/** Steps of the event source, which are no calls of our code. */
const OWN: ReadonlySet<string> = new Set(['queue.remove', 'records.remove']);

function notExplored(at: string): never {
  throw new Error(`${at} is a call that is not explored yet: say in sim/explore/apply.ts what it does to the world`);
}

function answerOf(call: PendingCall): Answer {
  try {
    return { value: unknownAnswer(call) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** An invocation that took long and goes on has no more time than any other. */
function awake(world: World, id: number): World {
  return { ...world, invocations: world.invocations.map((i) => (i.id === id && i.slow ? { ...i, slow: false } : i)) };
}

interface Start {
  readonly what: string;
  readonly world: World;
  readonly fault: boolean;
  /** Without it the invocation waits for the run. */
  readonly answer?: Answer;
}

function startSteps(config: ExploreConfig, world: World, { id }: Invocation, call: number, { args }: PendingCall, can: Can): Start[] {
  const [spec, mode, { sluice }] = args as [TaskTypeSpec, StartMode, Envelope];
  const until = world.now + 1000 * (spec.timeoutSeconds + (mode === 'event' ? EVENT_AGE_SECONDS : 0));
  const run: HandlerRun = { mode, sluice, until, second: false };
  const unknown: Answer = { value: { kind: 'unknown', message: 'the connection was cut' } };
  const retried = spec.retryBudget && sluice.attempt > 1 ? [...world.retried, world.now] : world.retried;
  const begun: World = { ...world, runs: [...world.runs, run], retried };
  const faulted: World = { ...world, faults: world.faults + 1 };
  const starts: Start[] = [
    mode === 'event'
      ? { what: '', fault: false, world: begun, answer: { value: { kind: 'started' } } }
      : { what: '', fault: false, world: { ...begun, runs: [...world.runs, { ...run, waitedForBy: { invocation: id, call } }] } },
  ];
  if (world.throttles < config.throttles) {
    const refused: Answer = { value: { kind: 'refused', why: 'throttled', message: 'no' } };
    starts.push({ what: ' is REFUSED with a 429', fault: false, world: { ...world, throttles: world.throttles + 1 }, answer: refused });
  }
  if (can('fail')) starts.push({ what: ' FAILS', fault: true, world: faulted, answer: unknown });
  if (can('ambiguous')) {
    starts.push({ what: ', its answer is LOST', fault: true, world: { ...begun, faults: world.faults + 1 }, answer: unknown });
  }
  return starts;
}

function runSteps(config: ExploreConfig, code: Continuations, world: World, run: HandlerRun, can: Can): Step[] {
  const name = `the handler of ${run.sluice.task} (fence ${run.sluice.fence}${run.second ? ', second run' : ''})`;
  const endings: RunEnding[] = [...config.endings];
  if (world.throttles < config.throttles) endings.push('throttled');
  if (world.crashes < (config.crashes ?? 0)) endings.push('crash');
  const others = world.runs.filter((other) => other !== run);
  const steps = endings.map((ending): Step => ({
    label: () => `${name} ends: ${ending}`,
    prompt: false,
    fault: false,
    take: () => endRun(code, counted({ ...world, runs: others }, run, ending), run, ending),
  }));
  if (can('twice') && run.mode === 'event' && !run.second) {
    for (const ending of config.endings) {
      const next: World = { ...counted(world, run, ending), runs: [...others, { ...run, second: true }], faults: world.faults + 1 };
      steps.push({
        label: () => `${name} ends: ${ending}, and Lambda runs its event AGAIN`,
        prompt: false,
        fault: true,
        take: () => withRecord(next, recordOf(run, ending)),
      });
    }
  }
  if (can('vanish') && !run.second) {
    const next: World = { ...world, runs: others, faults: world.faults + 1 };
    steps.push({ label: () => `${name} ends and NOTHING is heard of it`, prompt: false, fault: true, take: () => vanish(code, next, run) });
  }
  return steps;
}

function counted(world: World, { sluice }: HandlerRun, ending: RunEnding): World {
  if (ending === 'throttled') return { ...world, throttles: world.throttles + 1 };
  if (ending === 'ok') return world;
  const failed = { ...world, failures: { ...world.failures, [sluice.uid]: (world.failures[sluice.uid] ?? 0) + 1 } };
  if (ending !== 'crash') return failed;
  // Behind a breaker it counts for nothing, unless the probes of others have passed.
  return { ...((world.breaker?.passed ?? 0) > 0 ? failed : world), crashes: world.crashes + 1 };
}

const ERRORS = { err: 'Error', throttled: 'ThrottledError', crash: 'Runtime.ExitError' } as const;

function endRun(code: Continuations, world: World, run: HandlerRun, ending: RunEnding): World | Promise<World> {
  if (run.mode === 'event') return withRecord(world, recordOf(run, ending));
  const answer =
    ending === 'ok' ? { payload: null } : { functionError: 'Unhandled', payload: { errorType: ERRORS[ending], errorMessage: 'no' } };
  return answered(code, world, run, { kind: 'answered', answer });
}

function vanish(code: Continuations, world: World, run: HandlerRun): World | Promise<World> {
  return run.mode === 'event' ? world : answered(code, world, run, { kind: 'unknown', message: 'the connection was cut' });
}

/** The answer of a run that somebody waits for, if that still lives. */
function answered(code: Continuations, world: World, { waitedForBy: by }: HandlerRun, value: object): World | Promise<World> {
  const alive = by && world.invocations.some((i) => i.id === by.invocation && i.at.pending.has(by.call));
  return alive ? progress(code, world, by.invocation, by.call, { value }) : world;
}

function recordOf({ sluice }: HandlerRun, ending: RunEnding) {
  const failed = ending !== 'ok';
  return {
    version: '1.0' as const,
    // When it ended decides nothing.
    timestamp: new Date(T0).toISOString(),
    requestContext: { requestId: 'r', functionArn: 'arn', condition: failed ? 'RetriesExhausted' : 'Success', approximateInvokeCount: 1 },
    requestPayload: { payload: null, sluice },
    responseContext: { statusCode: 200, executedVersion: '1', ...(failed && { functionError: 'Unhandled' }) },
    responsePayload: failed ? { errorType: ERRORS[ending], errorMessage: 'no' } : null,
  };
}

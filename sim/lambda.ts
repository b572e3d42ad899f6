import { EVENT_AGE_SECONDS, isSystemName, type DestinationRecord, type Envelope, type TaskTypeSpec } from '@sluice/contracts';
import type { MemoryMessages } from '../adapters/memory/messages.ts';
import type { Starter, StartResult } from '../core/ports/starter.ts';
import type { Stream } from './choices.ts';
import type { Behaviour } from './behaviour.ts';
import { behave } from './handlers.ts';
import { runUntilAsked } from './preempt.ts';
import { oneOf, strikes, type Simulation } from './simulation.ts';
import { runSystem } from './system-tasks.ts';

const EVENT_AGE_MS = EVENT_AGE_SECONDS * 1000;
export const OUTCOMES = 'outcomes';

/** The users' functions as Lambda runs them: asynchronous events and synchronous calls. A run goes on whatever becomes of its caller. */
export function createLambda(outcomes: MemoryMessages, simulation: () => Simulation): Starter {
  const record = (
    stream: Stream,
    spec: TaskTypeSpec,
    envelope: Envelope,
    condition: string,
    answer?: { functionError?: string | undefined; payload: unknown },
  ): void => {
    const s = simulation();
    const body: DestinationRecord = {
      version: '1.0',
      timestamp: new Date(s.kernel.now()).toISOString(),
      requestContext: { requestId: 'r', functionArn: spec.handler.arn, condition, approximateInvokeCount: 1 },
      requestPayload: envelope,
      ...(answer && {
        responseContext: {
          statusCode: 200,
          executedVersion: '1',
          ...(answer.functionError !== undefined && { functionError: answer.functionError }),
        },
        responsePayload: answer.payload,
      }),
    };
    if (strikes(s, stream, 'record-lost')) return;
    const send = () => {
      s.cause = stream;
      outcomes.add(OUTCOMES, JSON.stringify(body), 0);
    };
    const late = strikes(s, stream, 'record-late') ? oneOf(stream, 'late by', [5_000, 60_000, 170_000, 600_000]) : 0;
    s.kernel.after(5 + late, send);
    if (strikes(s, stream, 'record-twice')) s.kernel.after(5 + oneOf(stream, 'again', [1, 1_000, 100_000]), send);
  };

  return {
    start: async (spec, mode, given): Promise<StartResult> => {
      const s = simulation();
      const stream = s.cause.fork('run');
      const envelope = structuredClone(given);
      const { tenant, task, fence } = envelope.sluice;
      const who = `run ${tenant}/${task}.${fence}`;
      if (strikes(s, stream, 'handler-missing')) return { kind: 'refused', why: 'missing', message: 'no such function' };
      if (strikes(s, stream, 'start-throttled')) return { kind: 'refused', why: 'throttled', message: 'too many requests' };
      const age = mode === 'event' ? EVENT_AGE_MS : 0;
      const live = s.checks.invoked(envelope.sluice, s.kernel.now() + age + spec.timeoutSeconds * 1000);

      if (mode === 'wait') {
        return new Promise((resolve) => {
          runHandler(s, { stream, spec, envelope, who }, (end) => {
            s.checks.ran(live, end);
            resolve({ kind: 'answered', answer: structuredClone(end.answer) });
          });
        });
      }
      const runOnce = (own: Stream, delay: number, second: boolean): void => {
        s.kernel.after(delay, () => {
          runHandler(s, { stream: own, spec, envelope, who: second ? `${who}, a second time` : who }, (end) => {
            s.checks.ran(live, end);
            record(own, spec, envelope, end.answer.functionError === undefined ? 'Success' : 'RetriesExhausted', end.answer);
          });
        });
      };
      if (strikes(s, stream, 'event-lost')) return { kind: 'started' };
      if (strikes(s, stream, 'event-age')) {
        s.kernel.after(EVENT_AGE_MS + oneOf(stream, 'older by', [0, 1_000, 5_000]), () => {
          s.history?.add(who, 'is too old to begin');
          s.checks.tooOld(live);
          record(stream, spec, envelope, 'EventAgeExceeded');
        });
        return { kind: 'started' };
      }
      const late = strikes(s, stream, 'event-late') ? oneOf(stream, 'begins after', [2_000, 20_000, EVENT_AGE_MS - 1]) : 5;
      runOnce(stream, late, false);
      if (strikes(s, stream, 'run-twice'))
        runOnce(stream.fork('second'), oneOf(stream, 'second after', [10, 1_000, 20_000, EVENT_AGE_MS - 1]), true);
      return { kind: 'started' };
    },
  };
}

interface HandlerRun {
  readonly stream: Stream;
  readonly spec: TaskTypeSpec;
  readonly envelope: Envelope;
  readonly who: string;
}

/** A user's function does what is chosen; the platform's own is one of the invocations of this simulation. */
function runHandler(sim: Simulation, { stream, spec, envelope, who }: HandlerRun, done: (end: Behaviour) => void): void {
  if (isSystemName(spec.type)) {
    runSystem(sim, stream.fork('system'), envelope, (end) => {
      sim.history?.add(who, `${end.name} in ${end.ms} ms`);
      done(end);
    });
    return;
  }
  const end = behave(sim, stream, spec, envelope);
  sim.history?.add(who, `begins, ${end.name} in ${end.ms} ms`);
  runUntilAsked(sim, stream, spec, envelope, end, done);
}

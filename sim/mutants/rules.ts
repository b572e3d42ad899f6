import type { Mutant } from './mutant.ts';

const edit = (file: string, find: string, replace: string) => [{ file, find, replace }];

/** For each rule of the specification the code without it. */
export const RULES: readonly (Mutant & { readonly rule: string })[] = [
  {
    name: 'named',
    rule: 'named',
    why: 'the message of a waiting dispatch is not taken for the hint of its attempt',
    edits: edit(
      'core/dispatch/claim.ts',
      'const hint = needsLeaseHint(work, mode) ? fenceOf(work) : task.seq;',
      'const hint = fenceOf(work);',
    ),
    question: 'wait',
  },
  {
    name: 'ahead',
    rule: 'ahead',
    why: 'a hint that is ahead of its row is dropped',
    edits: edit('core/hints/decide.ts', "return { do: 'give-back' };", "return { do: 'drop', why: 'left-behind' };"),
    question: 'wide-slow',
  },
  {
    name: 'confirm30',
    rule: 'confirm30',
    why: 'a row that is confirmed late gets no second hint',
    edits: edit('core/hints/timing.ts', 'confirmMs: 30_000', 'confirmMs: 30_000_000_000'),
    question: 'event-slow',
  },
  {
    name: 'dup-hint',
    rule: 'dupHint',
    why: 'a repeat that meets a live row sends no hint',
    edits: edit('core/submit/put-row.ts', 'if (!isTerminal(found.state)) await hintAgain(deps, found);', ''),
    question: 'repeat',
  },
  {
    name: 'lease',
    rule: 'lease',
    why: 'a lease ends while its run may be alive: a slip of units',
    edits: edit('core/dispatch/work.ts', 'spec.timeoutSeconds * 1000 +', 'spec.timeoutSeconds * 100 +'),
    question: 'long',
  },
  {
    name: 'seq',
    rule: 'seq',
    why: 'a settlement writes over whatever the row is by now',
    edits: edit(
      'core/settle/settle-outcome.ts',
      'await write(row.seq, row.state, decision.change)',
      'await deps.tasks.get(row.tenant, row.id).then((now) => write(now.seq, now.state, decision.change))',
    ),
    question: 'event-twice',
  },
  {
    name: 'state',
    rule: 'state',
    why: 'a claim compares the seq alone',
    edits: edit('core/dispatch/claim.ts', "seq: task.seq, state: 'waiting' },", 'seq: task.seq },'),
    question: 'event-twice',
  },
  {
    name: 'range',
    rule: 'range',
    why: 'a running row knows only the hint of its seq, so a mark on it leaves its lease without one',
    edits: edit('core/hints/decide.ts', 'hint.seq >= row.run.hint && hint.seq <= row.seq', 'hint.seq === row.seq'),
    question: 'ask',
  },
  {
    name: 'uid-age',
    rule: 'uidAge',
    why: 'a hint that meets another generation is dropped, though its own may be on its way',
    edits: edit(
      'core/hints/decide.ts',
      'if (row === undefined || row.uid !== hint.uid) {',
      "if (row !== undefined && row.uid !== hint.uid) return { do: 'drop', why: 'orphan' };\n  if (row === undefined) {",
    ),
    question: 'free',
  },
  {
    name: 'now-first',
    rule: 'nowFirst',
    why: 'the time is taken after the row was read',
    edits: edit('core/dispatch/look.ts', 'return lookAt(deps, work, row, now);', 'return lookAt(deps, work, row, deps.clock.now());'),
    question: 'event-slow',
  },
  {
    name: 'relook',
    rule: 'relook',
    why: 'a claim that lost its condition drops its hint',
    edits: edit(
      'core/dispatch/claim.ts',
      'const looked = written.row ? await lookAt(deps, work, written.row, now) : await look(deps, work);',
      'const looked = { end: DONE };',
    ),
    question: 'event',
  },
  {
    name: 'loser',
    rule: 'loser',
    why: 'two claims of one hint have the same permit, and the loser gives it back',
    edits: edit(
      'core/dispatch/process.ts',
      'pass.map((): Permit => ({ expiry, nonce: deps.random.nonce() }));',
      'pass.map((work) => ({ expiry, nonce: `${work.task.uid}.${work.task.seq}` }));',
    ),
    question: 'event-again',
  },
  {
    name: 'instant',
    rule: 'instant',
    why: 'the end of the lease is not the expiry of the permit',
    edits: edit('core/dispatch/claim.ts', 'leaseEnd: permit.expiry,', 'leaseEnd: permit.expiry + 60_000,'),
    question: 'wait',
  },
  {
    name: 'late-invoke',
    rule: 'lateInvoke',
    why: 'an attempt is started whose lease is as good as over',
    edits: edit('core/dispatch/claim.ts', '+ INVOKE_MARGIN_MS > permit.expiry', '+ INVOKE_MARGIN_MS > Infinity'),
    question: 'event-slow',
  },
  {
    name: 'undo-hint',
    rule: 'undoHint',
    why: 'a start that was refused is taken back without a next hint',
    edits: edit(
      'core/settle/settle-outcome.ts',
      "if (decision.do !== 'again') return;",
      "if (decision.do !== 'again' || outcome.class === 'throttled') return;",
    ),
    question: 'throttle',
  },
  {
    name: 'no-repeat-hint',
    rule: 'noRepeatHint',
    why: 'an outcome that was settled before makes a hint again',
    edits: edit(
      'core/settle/settle-outcome.ts',
      "if (decision.do === 'repeat-release') return releaseOf(row);",
      "if (decision.do === 'repeat-release') {\n      await placeHints(deps, [{ tenant: row.tenant, task: hintOf(row, deps.clock.now()) }]);\n      return releaseOf(row);\n    }",
    ),
    question: 'event-lost',
  },
  {
    name: 'bkey',
    rule: 'bkey',
    why: 'an item of the backlog is named by its task alone',
    edits: edit('adapters/memory/backlog-store.ts', '#${at}#${task.uid}#${seq}`', '#${task.uid}`'),
    question: 'drain-slow',
  },
  {
    name: 'flag',
    rule: 'flag',
    why: 'the flag of a backlog is cleared as it is then, not as it was read',
    edits: edit(
      'core/dispatch/drain.ts',
      'deps.permits.clear(lane, i, version, place)',
      'deps.permits.read(lane, i).then((now) => deps.permits.clear(lane, i, now.raised, place))',
    ),
    question: 'crowd',
  },
  {
    name: 'drain-hint',
    rule: 'drainHint',
    why: 'a claim out of the backlog makes no hint for the end of its lease',
    edits: edit('core/dispatch/claim.ts', "mode === 'event' || work.source === 'backlog'", "mode === 'event' && work.source === 'queue'"),
    question: 'lanes',
  },
  {
    name: 'arm',
    rule: 'arm',
    // Alone the second edit shows in no history: a function ends, or its message comes again, long before a margin of minutes.
    why: 'any delay may use a bucket, and a put counts however late it was confirmed',
    edits: [
      { file: 'core/hints/timing.ts', find: 'delaySeconds <= AWS_LIMITS.queueDelaySeconds', replace: 'delaySeconds <= 0' },
      {
        file: 'core/hints/place.ts',
        find: "return armedInTime(minute, deps.clock.now()) ? 'durable' : 'late';",
        replace: "return 'durable';",
      },
    ],
    question: 'event',
  },
  {
    name: 'tell',
    rule: 'tell',
    why: 'the hint that ended its task does not repeat what its end has to tell',
    edits: edit('core/hints/decide.ts', "return row.endedBy === 'hint' &&", 'return false &&'),
    question: 'wait-once',
  },
  {
    name: 'free-tells',
    rule: 'freeTells',
    why: 'an id is freed before the end of its old generation was told',
    edits: edit('core/submit/put-row.ts', 'await applyAll(deps, await Promise.all(old.map((row) => effectsOf(deps, row))));', ''),
    question: 'free',
  },
];

import { edit, type Mutant } from './mutant.ts';

const CLAIM = 'core/dispatch/claim.ts';
const SETTLE = 'core/settle/decide.ts';
const OUTCOME = 'core/settle/settle-outcome.ts';

/** Mistakes of the kind that people make. */
export const MISTAKES: readonly Mutant[] = [
  {
    name: 'row-before-hint',
    why: 'a submission writes its row, and then its hint',
    edits: edit(
      'core/submit/submit.ts',
      'const { hinted, made, unhinted } = await hint(deps, tenant, ready);\n  return',
      'await Promise.all(ready.map(({ row }) => putRow(deps, row, deps.clock.now())));\n  const { hinted, made, unhinted } = await hint(deps, tenant, ready);\n  return',
    ),
    question: 'event-crash',
  },
  {
    name: 'settle-row-first',
    why: 'a settlement writes the row, and then the next hint',
    edits: [
      { file: OUTCOME, find: 'const kept = await prepare(deps, row, outcome, by, spec, decision);', replace: 'const kept = {};' },
      {
        file: OUTCOME,
        find: "if (decision.do === 'end') return ended(",
        replace: "await prepare(deps, row, outcome, by, spec, decision);\n      if (decision.do === 'end') return ended(",
      },
    ],
    question: 'event',
  },
  {
    name: 'mode-asked-again',
    why: 'how an attempt is started is asked again after it was claimed, with the lease and the hint of what was said before',
    edits: edit(
      CLAIM,
      'deps.starter.start(spec, mode, envelope)',
      'deps.starter.start(spec, (await deps.starts?.known(spec.type))?.mode ?? mode, envelope)',
    ),
    question: 'auto',
  },
  {
    name: 'hint-of-another-mode',
    why: 'which hint is that of an attempt is asked of the type, and not of its claim',
    edits: [
      ...edit(CLAIM, 'const write = (): Promise<WriteResult> => {', 'const write = async (): Promise<WriteResult> => {'),
      ...edit(
        CLAIM,
        'const hint = needsLeaseHint(work, mode) ?',
        'const hint = needsLeaseHint(work, (await deps.starts?.known(task.type))?.mode ?? mode) ?',
      ),
    ],
    question: 'auto',
  },
  {
    name: 'skip-fence',
    why: 'an outcome of an old attempt settles the new one',
    edits: edit(SETTLE, '|| row.fence !== outcome.fence) return', ') return'),
    question: 'event-twice',
  },
  {
    name: 'skip-uid',
    why: 'a hint of an old generation acts on the new one, whose effects it then repeats for the old',
    edits: edit('core/hints/decide.ts', 'if (row === undefined || row.uid !== hint.uid) {', 'if (row === undefined) {'),
    question: 'free',
  },
  {
    name: 'skip-nonce',
    why: 'a claim that lost takes the row of the winner for its own',
    edits: edit(CLAIM, 'written.row.run?.nonce === permit.nonce', 'true'),
    question: 'event-again',
  },
  {
    name: 'hint-not-durable',
    why: 'a settlement does not look whether its next hint was taken',
    edits: edit(OUTCOME, 'if (durable !== true) throw', 'if (durable === null) throw'),
    question: 'event-calls',
  },
  {
    name: 'lease-hint-not-durable',
    why: 'an attempt starts though the hint for the end of its lease was not taken',
    edits: edit('core/dispatch/process.ts', 'if (hinted[i] !== true)', 'if (hinted[i] === null)'),
    question: 'event-calls',
  },
  {
    name: 'retry-invoke',
    why: 'an invocation whose answer was lost is made again',
    edits: edit(
      CLAIM,
      'const result = await deps.starter.start(spec, mode, envelope);',
      "const once = await deps.starter.start(spec, mode, envelope);\n  const result = once.kind === 'unknown' ? await deps.starter.start(spec, mode, envelope) : once;",
    ),
    question: 'event-calls',
  },
  {
    name: 'forget-lease',
    why: 'a hint whose lease is over is dropped',
    edits: edit('core/hints/decide.ts', "? { do: 'lost' }", "? { do: 'drop', why: 'ended' }"),
    question: 'event-lost',
  },
  {
    name: 'count-at-claim',
    why: 'an attempt is counted when it is claimed',
    edits: edit(CLAIM, "state: 'running',\n", "state: 'running',\n          attempts: 1,\n"),
    question: 'event',
  },
  {
    name: 'count-throttled',
    why: 'a throttled attempt is counted',
    edits: edit(
      SETTLE,
      "again(outcome, 'free', now + delay, { throttled }",
      "again(outcome, 'free', now + delay, { throttled, attempts: row.attempts + 1 }",
    ),
    question: 'throttle',
  },
  {
    name: 'count-lost',
    why: 'a start that was refused is counted as lost',
    edits: edit(
      SETTLE,
      "again(outcome, 'free', now + delay, { throttled }",
      "again(outcome, 'free', now + delay, { throttled, lost: row.lost + 1 }",
    ),
    question: 'throttle-wait',
  },
  {
    name: 'ahead-without-slot',
    why: 'what is claimed ahead starts without a slot',
    edits: edit('core/dispatch/ahead.ts', "state: each.ahead ? 'ahead' : 'slot'", "state: 'slot'"),
    seeds: 60,
  },
  {
    name: 'slot-of-others',
    why: 'a slot is made where others have taken what the limit leaves',
    edits: edit('core/dispatch/ahead.ts', 'others + slotsIn(index) + 1 <=', 'slotsIn(index) + 1 <='),
    seeds: 200,
  },
  {
    name: 'release-others',
    why: 'whoever finds a lane full gives back the permits of others',
    edits: edit('core/permits/acquire.ts', 'const expired = expiredPermits(answer.cell, now);', 'const expired = answer.cell.permits;'),
    question: 'lanes',
  },
  {
    name: 'release-early',
    why: 'the permit is given back when the attempt has started',
    edits: edit(
      CLAIM,
      'return { end: DONE, effects: [] };',
      'return { end: DONE, effects: [{ release: { lane: { tenant: work.tenant, type: work.task.type }, cell: claim.cell, permit } }] };',
    ),
    question: 'event',
  },
  {
    name: 'release-never',
    why: 'an attempt that is to be tried again keeps its permit',
    edits: edit(OUTCOME, 'return withEnd(releaseOf(written.row), attemptEnd(row, outcome, spec));', 'return {};'),
    question: 'wait-wide',
  },
  {
    name: 'cursor-first',
    why: 'the cursor of the buckets moves before the hints of its minute are durable',
    edits: [
      {
        file: 'core/timers/move-buckets.ts',
        find: '    const part = await moveMinutes(deps, done + 1, Math.min(atOnce, target - done), shard);\n    moved += part.moved;\n    const last = done + part.minutes;',
        replace: '    const many = Math.min(atOnce, target - done);\n    const last = done + many;',
      },
      {
        file: 'core/timers/move-buckets.ts',
        find: 'if (part.minutes > 0 && !(await deps.buckets.advance(shard, cursor, last))) break;',
        replace:
          'if (!(await deps.buckets.advance(shard, cursor, last))) break;\n    const part = await moveMinutes(deps, done + 1, many, shard);\n    moved += part.moved;',
      },
    ],
    question: 'far',
  },
  {
    name: 'expiry-untold',
    why: 'a task that expires tells nobody',
    edits: edit('core/dispatch/look.ts', 'looked: { end: DONE, effects: await effectsOf(deps, written.row) }', 'looked: { end: DONE }'),
    question: 'expire',
  },
  {
    name: 'drop-orphan-at-once',
    why: 'a hint whose row is missing is dropped at once',
    edits: edit('core/hints/decide.ts', 'now - hint.made > HINT_TIMES.orphanMs', 'now - hint.made > -1'),
    question: 'event',
  },
  {
    name: 'lane-not-noted',
    why: 'a lane gets a backlog without a note for the minute',
    edits: edit('core/dispatch/park.ts', 'await note(deps, noted, lane);', ''),
    question: 'lanes',
  },
  {
    name: 'flag-not-raised',
    why: 'an item is put into the backlog and the flag stays down',
    edits: edit(
      'core/permits/read-lane.ts',
      'deps.permits.raise(lane, cell, place, classes, cell === 0 ? wanted : 0)',
      'deps.permits.read(lane, cell)',
    ),
    question: 'lanes',
  },
  {
    name: 'record-not-repeated',
    why: 'a record that comes again does not repeat the effects of the end that it made',
    edits: edit(SETTLE, 'by === row.endedBy ?', 'by === undefined ?'),
    question: 'event-once',
  },
  {
    name: 'settled-message-lost',
    why: 'a record whose settlement failed is deleted',
    edits: edit('core/settle/settle-records.ts', 'failed.add(messageId);', ''),
    question: 'event-calls',
  },
  {
    name: 'forget-budget',
    why: 'permits are taken for retries as for first attempts',
    edits: edit('core/dispatch/process.ts', 'again, budget: spec.retryBudget, askers', 'budget: spec.retryBudget, askers'),
    question: 'budget',
  },
  {
    name: 'budget-flag-not-raised',
    why: 'a retry without budget is put aside and the flag of the permits is raised for it',
    edits: edit(
      'core/permits/read-lane.ts',
      'deps.permits.raise(lane, cell, place, classes, cell === 0 ? wanted : 0)',
      'deps.permits.raise(lane, cell)',
    ),
    question: 'budget',
  },
  {
    name: 'excuse-nothing',
    why: 'a crash behind a breaker that is not closed counts',
    edits: edit(SETTLE, 'if (input.crash?.excused)', "if (input.crash?.excused && input.by === 'record')"),
    question: 'breaker',
  },
  {
    name: 'probe-all',
    why: 'whoever finds a breaker probing starts all that it holds',
    edits: edit('core/breakers/gate.ts', "if (answer === 'all') continue", "if (answer === 'all' || answer.uids.length > 0) continue"),
    question: 'breaker',
    states: 120_000,
  },
];

import { describe, expect, it, vi } from 'vitest';
import { createTaskLog, type LogLevel, type TaskLog } from '../../../packages/handler/src/logger.ts';

function recording(level?: LogLevel): { log: TaskLog; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const identity = { task: 't1', tenant: 'acme' };
  return { log: createTaskLog({ identity, write, now: () => 0, ...(level && { level }) }), lines };
}

describe('the task log', () => {
  it('writes one object a line with time, level, message, fields and identity', () => {
    const { log, lines } = recording();
    log.warn('careful', { step: 2 });
    log.info('plain');
    expect(lines).toEqual([
      { level: 'warn', time: '1970-01-01T00:00:00.000Z', message: 'careful', step: 2, task: 't1', tenant: 'acme' },
      { level: 'info', time: '1970-01-01T00:00:00.000Z', message: 'plain', task: 't1', tenant: 'acme' },
    ]);
  });

  it('never lets a field stand for the identity, the level or the message', () => {
    const { log, lines } = recording();
    log.info('real', { tenant: 'other', level: 'x', message: 'fake' });
    expect(lines[0]).toMatchObject({ tenant: 'acme', level: 'info', message: 'real' });
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ] as const)('writes from the level %s on', (level, count) => {
    const { log, lines } = recording(level);
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    expect(lines).toHaveLength(count);
  });

  it('takes its level from the environment, info when that says nothing it knows', () => {
    for (const [value, count] of [
      ['ERROR', 0],
      ['debug', 2],
      ['loud', 1],
    ] as const) {
      vi.stubEnv('SLUICE_LOG_LEVEL', value);
      const { log, lines } = recording();
      log.debug('d');
      log.info('i');
      expect(lines).toHaveLength(count);
    }
    vi.unstubAllEnvs();
  });

  it('tells errors with their causes, BigInts as text, and marks circles but not repetitions', () => {
    const { log, lines } = recording();
    const shared = { a: 1 };
    const circle: Record<string, unknown> = { name: 'c', deep: { shared } };
    circle['self'] = circle;
    const error = Object.assign(new Error('bad', { cause: new TypeError('why') }), { status: 500 });
    const own = new Error('own');
    own.cause = own;
    log.error('all', { error, n: 5n, circle, one: shared, two: [shared, shared], own });
    expect(lines[0]).toMatchObject({
      error: { name: 'Error', message: 'bad', status: 500, cause: { name: 'TypeError', message: 'why' } },
      n: '5',
      circle: { name: 'c', deep: { shared }, self: '[circular]' },
      one: shared,
      two: [shared, shared],
      own: { message: 'own', cause: '[circular]' },
    });
  });

  it('loses the fields, not the line, when they are too large or cannot be read', () => {
    const { log, lines } = recording();
    log.info('big', { text: 'x'.repeat(300_000) });
    log.info('hostile', {
      toJSON: () => {
        throw new Error('no');
      },
    });
    log.info('y'.repeat(50_000));
    expect(lines[0]).toMatchObject({ message: 'big', fieldsLost: 'too large', task: 't1' });
    expect(lines[1]).toMatchObject({ message: 'hostile', fieldsLost: 'Error: no' });
    expect(String(lines[2]?.['message']).length).toBeLessThan(20_000);
  });

  it('writes to standard output', () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    createTaskLog({ identity: {} }).info('out');
    const line = String(write.mock.lastCall?.[0]);
    write.mockRestore();
    expect(line).toMatch(/^\{.*"message":"out".*\}\n$/);
  });
});

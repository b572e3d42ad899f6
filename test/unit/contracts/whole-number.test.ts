import { LIMITS, scheduleListQuerySchema } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';

const { limit } = scheduleListQuerySchema.shape;

describe('a whole number of a query', () => {
  it.each([1, 200, '1', '200', '007', undefined])('may be %j', (given) => {
    expect(limit.parse(given)).toBe(given === undefined ? undefined : Number(given));
  });

  it.each(['0x10', '1e1', ' 1', '+1', '', '-1', '1.5', 0, 201, 1.5, null, '٣'])('is not %j', (given) => {
    expect(limit.safeParse(given).error?.issues[0]?.message).toBe(
      `it is ${JSON.stringify(given)}; it takes a whole number from 1 to ${LIMITS.listPage}`,
    );
  });

  it.each(['0', '201'])('is not %j, which is none of these numbers', (given) => {
    expect(limit.safeParse(given).error?.issues[0]?.message).toContain(`it is ${given}; it takes`);
  });
});

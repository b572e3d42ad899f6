import { labelsSchema, tokenNameSchema } from '@sluice/contracts';
import { expect, it } from 'vitest';

// A table keeps UTF-8, which has no half of a surrogate pair, and a queue takes only what XML calls characters.
it('labels and names of tokens are whole characters', () => {
  for (const text of ['🎈', 'é', '\0', '\u2028']) {
    expect(tokenNameSchema.parse(text)).toBe(text);
    expect(labelsSchema.parse({ [text]: text })).toEqual({ [text]: text });
  }
  for (const text of ['\ud83c', 'x\udf88', '\udf88\ud83c', 'a\ufffe', '\uffff']) {
    expect(tokenNameSchema.safeParse(text).success).toBe(false);
    expect(labelsSchema.safeParse({ a: text }).success).toBe(false);
    expect(labelsSchema.safeParse({ [text]: 'a' }).success).toBe(false);
  }
});

import { ADMISSION } from './admission.ts';
import { DIVISION } from './division.ts';
import { MISTAKES } from './mistakes.ts';
import type { Mutant } from './mutant.ts';
import { POLICIES } from './policies.ts';
import { RATES } from './rates.ts';
import { RULES } from './rules.ts';

export const MUTANTS: readonly Mutant[] = [...RULES, ...MISTAKES, ...POLICIES, ...DIVISION, ...RATES, ...ADMISSION];

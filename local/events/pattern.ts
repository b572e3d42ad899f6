import { HostError } from '../errors.ts';

type Pattern = { [key: string]: Pattern | unknown[] };

/**
 * Whether an event matches a rule's pattern.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  const fields = pattern as Pattern;
  return Object.entries(fields).every(([name, wanted]) => {
    if (name === '$or') return (wanted as unknown[]).some((alternative) => matchesPattern(alternative, event));
    const values = valuesAt(event, name);
    if (!Array.isArray(wanted)) return values.some((value) => matchesPattern(wanted, value)) || absent(wanted, values);
    return wanted.some((condition) => meets(condition, values));
  });
}

/** Refuses at deployment what this host would never match, instead of dropping events in silence. */
export function validatePattern(pattern: unknown, where: string): void {
  for (const [name, wanted] of Object.entries(pattern as Pattern)) {
    if (name === '$or') {
      for (const alternative of wanted as unknown[]) validatePattern(alternative, where);
    } else if (!Array.isArray(wanted)) {
      validatePattern(wanted, where);
    } else {
      for (const condition of wanted) {
        const operator = operatorOf(condition);
        if (operator === undefined || OPERATORS.has(operator.name)) continue;
        const text = `${where} uses the event pattern operator ${operator.name}, which is not supported.`;
        throw new HostError('UNSUPPORTED_PROPERTY', text);
      }
    }
  }
}

const OPERATORS = new Set(['prefix', 'suffix', 'anything-but', 'exists', 'numeric', 'equals-ignore-case', 'wildcard']);

/** The values of a field: a list in the event matches by any of its items. */
function valuesAt(event: unknown, name: string): unknown[] {
  if (event === null || typeof event !== 'object' || !(name in event)) return [];
  return [(event as Record<string, unknown>)[name]].flat();
}

/** Nested `exists: false` holds where the whole branch is missing. */
function absent(wanted: Pattern, values: unknown[]): boolean {
  return values.length === 0 && matchesPattern(wanted, {});
}

function meets(condition: unknown, values: unknown[]): boolean {
  const operator = operatorOf(condition);
  if (operator === undefined) return values.some((value) => value === condition);
  const { name, argument } = operator;
  if (name === 'exists') return values.length > 0 === argument;
  return values.some((value) => meetsOperator(name, argument, value));
}

function meetsOperator(name: string, argument: unknown, value: unknown): boolean {
  switch (name) {
    case 'prefix':
    case 'suffix':
      return typeof value === 'string' && (name === 'prefix' ? value.startsWith(String(argument)) : value.endsWith(String(argument)));
    case 'equals-ignore-case':
      return typeof value === 'string' && value.toLowerCase() === String(argument).toLowerCase();
    case 'wildcard':
      return typeof value === 'string' && wildcard(String(argument)).test(value);
    case 'anything-but': {
      const nested = operatorOf(argument);
      if (nested === undefined) return ![argument].flat().includes(value);
      return ![nested.argument].flat().some((one) => meetsOperator(nested.name, one, value));
    }
    case 'numeric':
      return typeof value === 'number' && numeric(argument as unknown[], value);
    default:
      return false;
  }
}

function numeric(comparisons: unknown[], value: number): boolean {
  for (let index = 0; index < comparisons.length; index += 2) {
    const bound = Number(comparisons[index + 1]);
    const holds = { '=': value === bound, '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound };
    if (holds[comparisons[index] as keyof typeof holds] !== true) return false;
  }
  return true;
}

function wildcard(text: string): RegExp {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
}

function operatorOf(condition: unknown): { name: string; argument: unknown } | undefined {
  if (condition === null || typeof condition !== 'object' || Array.isArray(condition)) return undefined;
  const [name, argument] = Object.entries(condition)[0] ?? [];
  return name === undefined ? undefined : { name, argument };
}

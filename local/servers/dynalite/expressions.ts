type Names = Record<string, unknown>;

/** What dynalite resolves the names and values in an expression with; it strikes out those that the expression uses. */
interface Context {
  attrNames?: Names;
  attrVals?: Names;
  unusedAttrNames: Names;
  unusedAttrVals: Names;
}

/** One of dynalite's parsers of expressions. */
export interface Parser {
  parse(text: string, options: { context: Context }): unknown;
}

/** Expressions that are remembered; a program that makes more of them than this gains nothing by it. */
const MOST_EXPRESSIONS = 2_000;

/** Its parsing looks at the values themselves and not only at their types. */
const BY_VALUE = /between|attribute_type/i;

/** An expression as it was parsed, for names that stand for the same and values of the same types. */
interface Parsed {
  readonly names: readonly (readonly [string, unknown])[];
  readonly types: readonly (readonly [string, string])[];
  readonly make: (values: Names) => unknown;
}

/** A parser that parses an expression once, however often it comes with other values: programs have few of them. */
export function remembered(parse: Parser['parse']): Parser['parse'] {
  const known = new Map<string, Parsed[]>();
  return (text, options) => {
    const { context } = options;
    const { attrNames = {}, attrVals = {} } = context;
    const variants = known.get(text) ?? [];
    let parsed = variants.find(
      ({ names, types }) =>
        names.every(([name, stands]) => attrNames[name] === stands) && types.every(([name, type]) => typeOf(attrVals[name]) === type),
    );
    if (parsed === undefined) {
      if (BY_VALUE.test(text)) return parse(text, options);
      const unusedAttrNames = { ...attrNames };
      const unusedAttrVals = { ...attrVals };
      const result = parse(text, { context: { ...context, unusedAttrNames, unusedAttrVals } });
      // A flaw, as text: the call is refused.
      if (typeof result !== 'object' || result === null) return result;
      const used = (all: Names, unused: Names): string[] => Object.keys(all).filter((name) => !(name in unused));
      const values = used(attrVals, unusedAttrVals);
      parsed = {
        names: used(attrNames, unusedAttrNames).map((name) => [name, attrNames[name]]),
        types: values.map((name) => [name, typeOf(attrVals[name])]),
        make: maker(result, new Map(values.map((name) => [attrVals[name], name]))),
      };
      if (known.size >= MOST_EXPRESSIONS) known.clear();
      known.set(text, [...variants.slice(-9), parsed]);
    }
    for (const [name] of parsed.names) delete context.unusedAttrNames[name];
    for (const [name] of parsed.types) delete context.unusedAttrVals[name];
    return parsed.make(attrVals);
  };
}

function typeOf(value: unknown): string {
  for (const type in value as object) return type;
  return '';
}

/** Copies what a parser made, since dynalite writes into it, with other values in the places of those that it was made with. */
function maker(node: unknown, values: ReadonlyMap<unknown, string>): (values: Names) => unknown {
  const name = values.get(node);
  if (name !== undefined) return (given) => given[name];
  if (Array.isArray(node)) {
    const items = node.map((item) => maker(item, values));
    return (given) => items.map((item) => item(given));
  }
  if (typeof node !== 'object' || node === null || Object.getPrototypeOf(node) === null) return () => node;
  const fields = Object.entries(node).map(([key, child]) => [key, maker(child, values)] as const);
  return (given) => {
    const copy: Names = {};
    for (const [key, child] of fields) copy[key] = child(given);
    return copy;
  };
}

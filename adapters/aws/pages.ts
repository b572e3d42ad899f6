import { answerOf, type Item } from './answers.ts';

export interface Page {
  readonly Items?: Item[] | undefined;
  readonly LastEvaluatedKey?: Item | undefined;
}

/** Every page of a query, one at a time. */
export async function* pagesOf(what: string, read: (from: Item | undefined) => Promise<Page>): AsyncGenerator<readonly Item[]> {
  let from: Item | undefined;
  do {
    const page = await answerOf(what, read(from));
    yield page.Items ?? [];
    from = page.LastEvaluatedKey;
  } while (from);
}

/** The items of every page, or of as many as hold `enough`. */
export async function allPages(what: string, read: (from: Item | undefined) => Promise<Page>, enough = Infinity): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pagesOf(what, read)) {
    items.push(...page);
    if (items.length >= enough) break;
  }
  return items;
}

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apiReport } from './api-report.ts';

/* What the packages that others build on export. A change that is meant is taken over by `npx vitest run test/packages -u`. */
it.each(['client', 'contracts'])(
  'of %s is as its report says',
  async (name) => {
    const report = `# What @sluice/${name} exports\n\nWritten by test/packages/api-report.test.ts.\n\n\`\`\`\n${apiReport(name)}\`\`\`\n`;
    await expect(report).toMatchFileSnapshot(join(import.meta.dirname, `../../packages/${name}/api.md`));
  },
  60_000,
);

import { SluiceClient } from '@sluice/client';

/*
 * A process of its own that streams generated tasks through `submitMany`, so that its memory is that of the client and
 * of nothing else. Prints one line of JSON.
 *
 *   node stream.ts <URL> <number of tasks>
 */
const [baseUrl = '', count = ''] = process.argv.slice(2);
const total = Number(count);
const MB = 1024 * 1024;

function* generated() {
  for (let n = 0; n < total; n++) {
    yield {
      type: 'import-row',
      id: `row-${n}`,
      payload: { row: n, name: `customer ${n}`, city: 'Zürich' },
      labels: { file: 'customers.csv' },
    };
  }
}

// Its rise after the first tenth is growth with the number of tasks; before it, code and heap find their size.
let afterTenth = 0;
let last = 0;
const began = performance.now();
const client = new SluiceClient({ baseUrl, token: 'slc_x' });
const { accepted, failed } = await client.submitMany(generated(), {
  onResult: (_, index) => {
    last = Math.max(last, index);
  },
  onProgress: ({ done }) => {
    if (afterTenth === 0 && done >= total / 10) afterTenth = process.memoryUsage.rss();
  },
});
const seconds = (performance.now() - began) / 1_000;
const rss = process.memoryUsage.rss();
console.log(
  JSON.stringify({
    accepted,
    failed,
    last,
    seconds,
    // In KB, whatever the system: the most that the process ever had.
    peakMb: process.resourceUsage().maxRSS / 1024,
    afterTenthMb: afterTenth / MB,
    atEndMb: rss / MB,
  }),
);

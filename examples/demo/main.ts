import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SluiceClient } from '@sluice/client';
import { readCommandLine } from '../../bin/command-line.ts';
import { startHost, type Host } from '../../local/host.ts';
import { localContext, synthesise } from '../../local/synth.ts';
import { citiesCsv } from '../import-csv/cities-csv.ts';
import { startMailServer } from './mail-server.ts';
import { countBy, printReport } from './report.ts';
import { runWorkload } from './run-workload.ts';
import { writeTokens } from './tokens.ts';
import { makeExtras, makeJobs } from './workload.ts';

const USAGE = `Runs the platform on this machine with a mixed workload of three tenants, says what came of each task, and ends.

  npm run demo -- [--json]

  --json  prints the numbers as JSON on the last line

The exit code is 1 when anything came otherwise than it must.`;

const ROOT = resolve(import.meta.dirname, '../..');
const SMALL_CSV_LINES = 1_000;
const { json } = readCommandLine(USAGE, { json: { type: 'boolean' } }).values;

const scratch = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
const mail = await startMailServer();
let host: Host | undefined;
try {
  console.log('synthesising the app and starting the platform …');
  await synthesise({ root: ROOT, out: scratch, context: { ...localContext(), smtpUrl: mail.url } });
  host = await startHost({ assembly: scratch });
  const running = host;
  const tokens = await writeTokens(host, join(ROOT, '.sluice', 'demo-tokens.json'));
  const bucket = host.outputs['ExamplesBucket'] ?? '';
  const input = await upload(host, bucket);
  const client = (tenant: string) => new SluiceClient({ baseUrl: running.url, token: tokens[tenant]?.submit ?? '' });

  const report = await runWorkload({
    client,
    jobs: (now) => makeJobs({ bucket, ...input, now }),
    extras: makeExtras(),
    onProgress: json ? () => {} : progress,
  });
  const mails = report.tasks.filter((t) => t.type === 'send-email' && t.state === 'succeeded').length;
  const unexpected =
    mail.mails.length < mails ? [...report.unexpected, `${mail.mails.length} mails arrived of ${mails}`] : report.unexpected;
  printReport({ ...report, unexpected });
  if (json) {
    const { tasks, refusals, deduplicated, seconds } = report;
    const byState = countBy(tasks, (t) => t.state);
    console.log(
      JSON.stringify({
        tasks: tasks.length,
        byState,
        unexpected: unexpected.length,
        deduplicated,
        refused: countBy(refusals, (r) => r.code),
        seconds,
      }),
    );
  }
  process.exitCode = unexpected.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await host?.close();
  await mail.close();
  await rm(scratch, { recursive: true, force: true });
}

/** Puts the photos and two CSV files into the examples' bucket. */
async function upload(running: Host, bucket: string) {
  const s3 = new S3Client({
    endpoint: running.endpoints.s3,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const put = async (key: string, body: Readable) => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await buffer(body) }));
    return key;
  };
  const folder = join(ROOT, 'examples/thumbnail/photos');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.jpg'));
  const photos = await Promise.all(files.map((file) => put(`photos/${basename(file)}`, createReadStream(join(folder, file)))));
  const large = await put('csv/cities.csv', citiesCsv());
  const lines = (await buffer(citiesCsv()))
    .toString('utf8')
    .split('\r\n')
    .slice(0, SMALL_CSV_LINES + 1);
  const small = await put('csv/some-cities.csv', Readable.from([`${lines.join('\r\n')}\r\n`]));
  s3.destroy();
  return { photos, csv: { large, small } };
}

function progress(done: number, all: number): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${all} tasks have ended${done === all ? '\n' : ''}`);
  else if (done === all || done % 100 === 0) console.log(`${done} of ${all} tasks have ended`);
}

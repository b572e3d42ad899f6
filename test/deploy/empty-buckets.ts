import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';

/*
 * `node empty-buckets.ts ENDPOINT BUCKET...`: CloudFormation deletes no bucket that has something in it. A process of
 * its own, because Node reads which certificates it trusts when it starts.
 */
const [endpoint = '', ...buckets] = process.argv.slice(2);
const s3 = new S3Client({ endpoint, forcePathStyle: true });

for (const Bucket of buckets) {
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    if (Objects.length === 0) break;
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  }
}

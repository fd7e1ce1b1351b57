import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeChunks } from '../../../local/s3/chunked-body.ts';
import { parseRequest } from '../../../local/s3/request.ts';
import { authenticate } from '../../../local/s3/signature.ts';

/** The examples of AWS's documentation, "Transferring Payload in Multiple Chunks", 64 KiB and 1 KiB of `a`. */
const EXAMPLES: {
  payload: string;
  header: Record<string, string>;
  signature: string;
  chunks: string[];
  trailers: string;
}[] = [
  {
    payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    header: {},
    signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    chunks: [
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ],
    trailers: '',
  },
  {
    payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    header: { 'x-amz-trailer': 'x-amz-checksum-crc32c' },
    signature: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    chunks: [
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ],
    trailers:
      'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
  },
];

function signerOf({ payload, header, signature }: (typeof EXAMPLES)[number]) {
  const headers: Record<string, string> = {
    ...header,
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    host: 's3.amazonaws.com',
    'x-amz-content-sha256': payload,
    'x-amz-date': '20130524T000000Z',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  };
  // The documentation leaves the length out of the second example's signature.
  const names = Object.keys(headers)
    .filter((name) => name !== 'content-length' || payload.endsWith('PAYLOAD'))
    .sort();
  const scope = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${names.join(';')},Signature=${signature}`;
  const message = {
    method: 'PUT',
    url: '/examplebucket/chunkObject.txt',
    headers,
  } as unknown as IncomingMessage;
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
  return authenticate(parseRequest(message), () => secret, 'us-east-1', Date.UTC(2013, 4, 24));
}

test.each(EXAMPLES)("AWS's example of $payload decodes, however the network cuts it", async (example) => {
  const signer = signerOf(example);
  const [first, second, last] = example.chunks;
  const framed = Buffer.from(
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65536)}\r\n400;chunk-signature=${second}\r\n${'a'.repeat(1024)}\r\n0;chunk-signature=${last}\r\n${example.trailers}\r\n`,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(framed.length), { maxLength: 30 }), async (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), framed.length];
      async function* pieces() {
        for (let i = 1; i < edges.length; i++) yield framed.subarray(edges[i - 1], edges[i]);
      }
      const trailers = new Map<string, string>();
      const data: Buffer[] = [];
      for await (const piece of decodeChunks(pieces(), signer, trailers)) data.push(piece);
      expect(Buffer.concat(data).equals(Buffer.alloc(66560, 'a'))).toBe(true);
      expect([...trailers]).toEqual(example.trailers ? [['x-amz-checksum-crc32c', 'sOO8/Q==']] : []);
    }),
    { numRuns: 30 },
  );
});

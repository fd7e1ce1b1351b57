import { readFile } from 'node:fs/promises';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

type Event = Pick<APIGatewayProxyEventV2, 'rawPath' | 'headers'> & {
  readonly requestContext: { readonly http: { readonly method: string } };
};
type Result = APIGatewayProxyStructuredResultV2;

/** What `build/console.ts` says of each file that it made; each is kept compressed (gzip). */
type ConsoleFile = { readonly type: string; readonly etag: string };

const ROOT = '/console';
const PAGE = 'index.html';

export type ConsoleFiles = (event: Event) => Promise<Result> | undefined;

/**
 * Serves the files of the console below `/console/`; undefined for any other path. A path without an extension is a
 * page of the console, which finds out itself what to show.
 *
 * @param folder where the build put them
 * @param allowLoopback whether videos may come from this machine: only in the local runtime
 */
export function createConsoleFiles(
  folder: URL,
  { allowLoopback }: { readonly allowLoopback: boolean },
): ConsoleFiles {
  const security = securityHeaders(allowLoopback);
  async function serve({ rawPath, headers, requestContext }: Event): Promise<Result> {
    const { method } = requestContext.http;
    if (method !== 'GET' && method !== 'HEAD') return { statusCode: 405, headers: { allow: 'GET, HEAD' } };
    if (rawPath === ROOT) return { statusCode: 308, headers: { location: `${ROOT}/` } };
    const asked = rawPath.slice(ROOT.length + 1);
    const name = asked.includes('.') ? asked : PAGE;
    const known: Record<string, ConsoleFile> = JSON.parse(
      await readFile(new URL('files.json', folder), 'utf8'),
    );
    const file = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!file)
      return { statusCode: 404, headers: { ...security, 'content-type': 'text/plain' }, body: 'Not found' };
    const cached = {
      ...security,
      etag: file.etag,
      vary: 'accept-encoding',
      // The names of all files but the page change with their content.
      'cache-control': name === PAGE ? 'no-cache' : 'public, max-age=31536000, immutable',
    };
    if (headers['if-none-match']?.includes(file.etag)) return { statusCode: 304, headers: cached };
    const compressed = await readFile(new URL(`${name}.gz`, folder));
    const takesGzip = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
    const body = takesGzip ? compressed : await decompressed(compressed);
    return {
      statusCode: 200,
      headers: {
        ...cached,
        'content-type': file.type,
        ...(takesGzip ? { 'content-encoding': 'gzip' } : {}),
      },
      body: method === 'HEAD' ? '' : body.toString('base64'),
      isBase64Encoded: method !== 'HEAD',
    };
  }

  return (event) =>
    event.rawPath === ROOT || event.rawPath.startsWith(`${ROOT}/`) ? serve(event) : undefined;
}

/** Browsers take gzip, so no cold start loads what undoes it. */
async function decompressed(file: Buffer): Promise<Buffer> {
  const { gunzipSync } = await import('node:zlib');
  return gunzipSync(file);
}

/** The page runs its own files only, and plays videos from S3. */
function securityHeaders(allowLoopback: boolean): Record<string, string> {
  const videos = ['https://*.amazonaws.com', 'https://*.amazonaws.com.cn'];
  if (allowLoopback) videos.push('http://127.0.0.1:*');
  const policy = {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self'",
    'connect-src': "'self'",
    'media-src': videos.join(' '),
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
  };
  return {
    'content-security-policy': Object.entries(policy)
      .map(([name, value]) => `${name} ${value}`)
      .join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  };
}

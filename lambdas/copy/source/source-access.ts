import type { OpenAnswer } from '../../adapters/http/safe-http.ts';
import type { AnswerChunks } from './answer-chunks.ts';
import type { Connections } from './connections.ts';
import type { Following } from './redirects.ts';

/** What reading a source works with. */
export type SourceAccess = {
  readonly following: Following;
  /** Opens an answer, of any status. */
  readonly open: (url: string, headers: Record<string, string>, signal: AbortSignal) => Promise<OpenAnswer>;
  readonly connections: Connections;
  readonly chunks: AnswerChunks;
  readonly now: () => number;
};

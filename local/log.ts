import { createWriteStream } from 'node:fs';

/** A line of a function's log, or of the runtime's own (`source` is then `bridge`). */
export type LogLine = {
  source: string;
  line: string;
};

/** Where log lines go: to the listener, and to a file if there is one. */
export class Log {
  private readonly listener: (line: LogLine) => void;
  private readonly file;

  constructor(listener: (line: LogLine) => void = () => {}, file?: string) {
    this.listener = listener;
    this.file = file === undefined ? undefined : createWriteStream(file, { flags: 'a' });
  }

  /** A function that logs lines of `source`. */
  of(source: string): (line: string) => void {
    return (line) => {
      this.listener({ source, line });
      // A process that is being ended may still say something while the log is closed.
      if (this.file?.writable) this.file.write(`${source}: ${line}\n`);
    };
  }

  close(): Promise<void> {
    return new Promise((resolve) => (this.file ? this.file.end(resolve) : resolve()));
  }
}

import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** What a page knows of something that changes. */
type Live<T> = {
  readonly data: Signal<T | undefined>;
  /** Of the last try; undefined once one succeeds. */
  readonly error: Signal<unknown>;
  readonly reload: () => void;
};

/**
 * Loads something, and again every `everyMs` while the page is seen; `everyMs` may follow from what was loaded.
 *
 * @param deps what `load` depends on: when one changes, the data is loaded again
 */
export function useLive<T>(
  load: (signal: AbortSignal) => Promise<T>,
  everyMs: number | ((data: T | undefined) => number),
  deps: readonly unknown[],
): Live<T> {
  const data = useSignal<T | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const asked = useSignal(0);

  useEffect(() => {
    data.value = undefined;
    error.value = undefined;
  }, deps);

  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function run(): Promise<void> {
      try {
        const loaded = await load(controller.signal);
        if (controller.signal.aborted) return;
        data.value = loaded;
        error.value = undefined;
      } catch (thrown) {
        if (controller.signal.aborted) return;
        error.value = thrown;
      }
      const pause = typeof everyMs === 'function' ? everyMs(data.peek()) : everyMs;
      timer = setTimeout(() => (document.hidden ? awaitSight() : void run()), pause);
    }
    const seen = () => {
      if (!document.hidden) void run();
    };
    const awaitSight = () =>
      document.addEventListener('visibilitychange', seen, { once: true, signal: controller.signal });

    void run();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [...deps, asked.value]);

  return { data, error, reload: () => asked.value++ };
}

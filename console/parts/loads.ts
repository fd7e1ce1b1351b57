import { signal } from '@preact/signals';

/** The loads of a list: one at a time; a failure is shown, and the next load may succeed. */
export function createLoads() {
  const loading = signal(false);
  const error = signal<unknown>(undefined);

  /** Runs a load, unless one is under way. `stopped`: nothing is shown of a load that was ended by it. */
  async function run(stopped: AbortSignal, load: () => Promise<void>): Promise<void> {
    if (loading.value) return;
    loading.value = true;
    try {
      await load();
      error.value = undefined;
    } catch (thrown) {
      if (!stopped.aborted) error.value = thrown;
    } finally {
      loading.value = false;
    }
  }

  return { loading, error, run };
}

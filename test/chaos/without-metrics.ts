/** Imported before all else: standard output is for what became of each seed, and not for the functions' metrics. */
process.env.POWERTOOLS_METRICS_DISABLED ??= 'true';

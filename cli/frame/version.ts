declare const VERSION: string;

/** The version of a command line that was not built, as npm run cli starts it. */
export const FROM_SOURCES = 'from sources';

/** Of the package; the build knows it. */
export const version = typeof VERSION === 'string' ? VERSION : FROM_SOURCES;

declare const VERSION: string;

/** Of the package; the build knows it. */
export const version = typeof VERSION === 'string' ? VERSION : 'from sources';

import manifest from '../../package.json' with { type: 'json' }

/** Of the product: all its packages carry the same. */
export const version: string = manifest.version
